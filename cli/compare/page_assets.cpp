#include "cli/compare/page_assets.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "exchange/ensure.hpp"

namespace segue::cli {
namespace {

std::string sha256_base64(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  ensure(EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1,
         "SHA-256 is always there");
  std::array<unsigned char, 64> encoded{};  // 32 octets are 44 characters
  const int written = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(length));
  return {encoded.begin(), encoded.begin() + written};
}

}  // namespace

const std::string_view kPageStyle = R"css(
:root { color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5b6778; --line: #dfe4ea;
  --bad: #b3261e; --bad-ground: #fdecea; --good: #1a7340; --good-ground: #e6f4ea;
  --doubt: #8a5a00; --doubt-ground: #fdf3dc; --accent: #2457c5; --bar: #b9c3d0;
  --left: #ffd9d6; --right: #cdeed6; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #12161c; --card: #1a2029; --ink: #e4e9f0; --soft: #9aa7b8; --line: #2c3541;
  --bad: #ff8a80; --bad-ground: #3a1d1c; --good: #7bd69a; --good-ground: #16301f;
  --doubt: #f2c265; --doubt-ground: #352a12; --accent: #8ab0ff; --bar: #475364;
  --left: #6b2a26; --right: #1f5533; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
code, .id, td.value { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 13px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 13px; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); margin: 22px 0 8px; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.meta { color: var(--soft); margin: 0; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 18px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile b { display: block; font-size: 26px; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.2; }
.tile span { color: var(--soft); font-size: 13px; }
.tile.bad b { color: var(--bad); } .tile.good b { color: var(--good); }
.badge { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 12.5px; font-weight: 600;
  white-space: nowrap; background: var(--line); color: var(--ink); }
.badge.bad { background: var(--bad-ground); color: var(--bad); }
.badge.good { background: var(--good-ground); color: var(--good); }
.badge.doubt { background: var(--doubt-ground); color: var(--doubt); }
.doubts { background: var(--doubt-ground); color: var(--doubt); border-radius: 8px; padding: 8px 14px; margin: 12px 0 0; }
.doubts p { margin: 2px 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-size: 12.5px; font-weight: 600; color: var(--soft); }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; } #overview td { vertical-align: middle; }
th.n, td.n { text-align: right; white-space: nowrap; } td.route { overflow-wrap: anywhere; min-width: 140px; }
th button { all: unset; cursor: pointer; } th button:hover { color: var(--ink); }
th button:focus-visible { outline: 2px solid var(--accent); }
th[aria-sort=ascending] button::after { content: " \2191"; } th[aria-sort=descending] button::after { content: " \2193"; }
.scroll { overflow-x: auto; }
.head { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.figures { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 10px 40px; margin-top: 14px; align-items: start; }
@media (max-width: 760px) { .figures { grid-template-columns: minmax(0, 1fr); } }
.match { font-size: 26px; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.match small { font-size: 14px; font-weight: 400; color: var(--soft); }
.figures p { margin: 3px 0; } .soft { color: var(--soft); }
.latency { width: auto; } .latency th, .latency td { padding: 3px 0 3px 22px; } .latency th:first-child { padding-left: 0; }
svg { display: block; } svg .ground { fill: var(--line); } svg .whole { fill: var(--good); }
svg .raw { fill: var(--bad); } svg .noise { fill: var(--bar); } svg .range { stroke: var(--ink); stroke-width: 1.5; opacity: .55; }
.field { border: 1px solid var(--line); border-radius: 8px; margin: 6px 0; }
.field.finding { border-left: 4px solid var(--bad); } .field.uncertain { border-left: 4px solid var(--doubt); }
.field > summary { cursor: pointer; padding: 9px 14px; list-style: none; display: grid; gap: 2px 16px; align-items: center;
  grid-template-columns: 12px minmax(0, 1fr) 150px 74px 74px 130px; }
.field > summary::-webkit-details-marker { display: none; }
.field > summary::before { content: "\25B8"; color: var(--soft); } .field[open] > summary::before { content: "\25BE"; }
.field > summary:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; border-radius: 8px; }
.field summary code { font-weight: 600; overflow-wrap: anywhere; }
.field .n { text-align: right; font-variant-numeric: tabular-nums; } .field .raw-share { font-weight: 600; }
.field.finding .raw-share { color: var(--bad); }
@media (max-width: 760px) { .field > summary { grid-template-columns: 12px minmax(0, 1fr) auto auto; }
  .field > summary svg { display: none; } .field > summary .kind { grid-column: 2 / 5; grid-row: 2; } }
.columns { display: grid; gap: 16px; grid-template-columns: 12px minmax(0, 1fr) 150px 74px 74px 130px; padding: 0 15px 0 18px;
  font-size: 12.5px; color: var(--soft); } .columns .n { text-align: right; } @media (max-width: 760px) { .columns { display: none; } }
.inside { padding: 2px 14px 12px 42px; } .inside p { margin: 4px 0; } @media (max-width: 760px) { .inside { padding-left: 14px; } }
.example { border: 1px solid var(--line); border-radius: 6px; margin: 8px 0; overflow: hidden; }
.example caption { text-align: left; padding: 5px 10px; color: var(--soft); overflow-wrap: anywhere; border-bottom: 1px solid var(--line); }
.example table { table-layout: fixed; } .example th { width: 76px; padding: 6px 10px; } .example td { padding: 6px 10px 6px 0; }
.example td.id { width: 300px; color: var(--soft); } .example td.value { white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 760px) { .example td.id { width: 120px; overflow-wrap: anywhere; } }
.id, .select { user-select: all; } mark { color: inherit; border-radius: 3px; padding: 0 1px; }
mark.left { background: var(--left); } mark.right { background: var(--right); } .nothing { color: var(--soft); font-style: italic; }
.tools { position: sticky; top: 0; z-index: 1; background: var(--ground); padding: 12px 0; margin-top: 10px; display: flex; flex-wrap: wrap;
  gap: 10px; align-items: center; } .tools input { flex: 1 1 260px; }
.tools input, .tools select, .tools button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 7px 12px; } .tools button { cursor: pointer; }
details.group { margin-top: 18px; } details.group > summary { cursor: pointer; color: var(--soft); font-size: 14px; }
[hidden] { display: none !important; }
@media print { .tools { display: none; } body { background: #fff; } .card { break-inside: avoid; } }
)css";

const std::string_view kPageScript = R"js(
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const fields = all(".field");
  const tools = document.querySelector(".tools");
  const find = tools.querySelector("input");
  const order = tools.querySelector("select");
  const shown = tools.querySelector("output");
  const texts = new Map(fields.map(field => [field,
    (field.closest("section").dataset.name + " " + field.textContent).toLowerCase()]));

  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const field of fields) {
      field.hidden = !words.every(word => texts.get(field).includes(word));
      if (!field.hidden) count++;
    }
    for (const section of all("section.route")) {
      const name = section.dataset.name.toLowerCase();
      const named = words.every(word => name.includes(word));
      section.hidden = words.length > 0 && !named && !section.querySelector(".field:not([hidden])");
      for (const group of all("details.group", section)) {
        const some = group.querySelector(".field:not([hidden])");
        group.hidden = !some;
        if (words.length > 0 && some) group.open = true;
      }
      for (const list of all(".list", section))
        list.hidden = !list.querySelector(".field:not([hidden])");
    }
    shown.textContent = words.length === 0 ? "" : count + " of " + fields.length + " fields";
  };

  const sortFields = () => {
    const by = order.value;
    const compare = by === "name"
      ? (a, b) => a.dataset.name.localeCompare(b.dataset.name)
      : (a, b) => Number(b.dataset[by]) - Number(a.dataset[by]);
    for (const list of all(".list"))
      list.append(...all(":scope > .field", list).sort(compare));
  };

  const sortRows = header => {
    const table = header.closest("table");
    const column = [...header.parentNode.children].indexOf(header);
    const upwards = header.getAttribute("aria-sort") === "descending";
    for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", upwards ? "ascending" : "descending");
    const value = row => row.children[column].dataset.value;
    const compare = (a, b) => {
      const x = value(a), y = value(b);
      const numbers = Number(x) - Number(y);
      return Number.isNaN(numbers) ? x.localeCompare(y) : numbers;
    };
    const body = table.tBodies[0];
    body.append(...[...body.rows].sort((a, b) => upwards ? compare(a, b) : compare(b, a)));
  };

  const openAll = open => {
    for (const field of fields) if (!field.hidden) field.open = open;
    for (const group of all("details.group")) if (open && !group.hidden) group.open = true;
  };

  for (const header of all("table.sortable th")) {
    const button = document.createElement("button");
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sortRows(header));
  }
  find.addEventListener("input", filter);
  order.addEventListener("change", sortFields);
  for (const button of all("button[data-open]", tools))
    button.addEventListener("click", () => openAll(button.dataset.open === "yes"));
  addEventListener("keydown", event => {
    if (event.key !== "/" || event.target === find) return;
    event.preventDefault();
    find.focus();
  });
  tools.hidden = fields.length === 0;
})();
)js";

std::string page_policy() {
  return fmt::format(
      "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; "
      "form-action 'none'",
      sha256_base64(kPageStyle), sha256_base64(kPageScript));
}

}  // namespace segue::cli
