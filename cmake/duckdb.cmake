# DuckDB, the SQL engine of seguectl: fetched once by setup/duckdb.sh, linked where it lies.
execute_process(COMMAND ${PROJECT_SOURCE_DIR}/setup/duckdb.sh
                OUTPUT_VARIABLE SEGUE_DUCKDB OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE fetched)
if(NOT fetched EQUAL 0)
  message(FATAL_ERROR "DuckDB cannot be had: see the line above")
endif()
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES
  IMPORTED_LOCATION ${SEGUE_DUCKDB}/libduckdb.so
  IMPORTED_NO_SONAME TRUE
  INTERFACE_INCLUDE_DIRECTORIES ${SEGUE_DUCKDB}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${SEGUE_DUCKDB})

# seguectl looks for it there (cli/CMakeLists.txt). A folder that was named may have no licence.
install(FILES ${SEGUE_DUCKDB}/libduckdb.so DESTINATION lib/segue)
install(FILES ${SEGUE_DUCKDB}/LICENSE DESTINATION share/doc/segue RENAME LICENSE.duckdb OPTIONAL)
