#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <system_error>

#include "cli/exit_code.hpp"
#include "cli/help_text.hpp"
#include "cli/routes.hpp"
#include "cli/serve.hpp"
#include "cli/usage_error.hpp"
#include "cli/validate.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

// Every command of `segue`, and which one was asked for.
class Program {
 public:
  int run(int argc, char** argv);

 private:
  CLI::App& add_routes();
  int run_chosen();

  CLI::App app_{"An HTTP reverse proxy that moves traffic from a legacy backend to a new one.",
                "segue"};
  ServeCommand serve_{app_};
  ValidateCommand validate_{app_};
  CLI::App& routes_ = add_routes();
  RoutesListCommand routes_list_{routes_};
  RoutesTestCommand routes_test_{routes_};
  RoutesExplainCommand routes_explain_{routes_};
};

CLI::App& Program::add_routes() {
  CLI::App* routes = app_.add_subcommand("routes", "look at the routes of a configuration");
  routes->require_subcommand(1);
  return *routes;
}

int Program::run(int argc, char** argv) {
  app_.require_subcommand(1);
  say_usage_errors_in_one_line(app_);
  say_help_plainly(app_);
  app_.set_version_flag("--version", "segue " SEGUE_VERSION);
  try {
    app_.parse(argc, argv);
    const int code = run_chosen();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "segue: cannot write to standard output\n");
  } catch (const CLI::ParseError& error) {
    return app_.exit(error, std::cout, std::cerr) == 0 ? kClean : kFailed;
  } catch (const StartupError& error) {
    fmt::print(stderr, "segue: {}\n", error.what());
  } catch (const std::system_error& error) {  // fmt::print: the reader of a pipe went away
    fmt::print(stderr, "segue: {}\n", error.what());
  }
  return kFailed;
}

int Program::run_chosen() {
  if (serve_.chosen()) return serve_.run();
  if (validate_.chosen()) return validate_.run();
  if (routes_list_.chosen()) return routes_list_.run();
  if (routes_test_.chosen()) return routes_test_.run();
  return routes_explain_.run();
}

}  // namespace
}  // namespace segue::cli

int main(int argc, char** argv) {
  return segue::cli::Program().run(argc, argv);
}
