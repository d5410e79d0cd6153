#pragma once

#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// Views over `exchanges`, which is there already:
//   pairs  one row for each shadow and control whose primary is there, both answers side by side
// Throws SqlError.
void add_views(Engine& engine);

}  // namespace segue::warehouse
