<?php
// The shop as it has always been: one PHP file over SQLite. `php -S` runs it for every request.
declare(strict_types=1);

function database(): PDO
{
    $db = new PDO('sqlite:' . getenv('SHOP_DB'));
    $db->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    $db->exec('PRAGMA busy_timeout = 5000');
    return $db;
}

function create_tables(): void
{
    $db = database();
    $db->exec('CREATE TABLE IF NOT EXISTS products (id INTEGER PRIMARY KEY, name TEXT, price REAL, stock INTEGER)');
    $db->exec('CREATE TABLE IF NOT EXISTS carts (uid TEXT, product INTEGER, qty INTEGER)');
    $db->exec('CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT, name TEXT, total REAL, status TEXT)');
    $products = json_decode(file_get_contents(__DIR__ . '/../products.json'), true);
    $insert = $db->prepare('INSERT OR IGNORE INTO products VALUES (:id, :name, :price, :stock)');
    foreach ($products as $product) {
        $insert->execute($product);
    }
}

function answer(int $status, mixed $value): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    header('X-Powered-By: PHP');
    if ($value === null) {
        return;
    }
    echo json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
}

// Pages carry when they were made and for which request, and come in whatever order the parts of
// a page were ready: no two are alike.
function page(array $parts): void
{
    $request = bin2hex(random_bytes(8));
    header("X-Shop-Request: $request");
    $parts['generated_at'] = (new DateTime('now', new DateTimeZone('UTC')))->format('Y-m-d\TH:i:s.v\Z');
    $parts['request_id'] = $request;
    $order = array_keys($parts);
    shuffle($order);
    answer(200, array_merge(array_flip($order), $parts));
}

function fail(int $status, string $error): void
{
    answer($status, ['error' => $error]);
}

function body(): array
{
    return json_decode(file_get_contents('php://input'), true) ?? [];
}

function uid(): string
{
    return $_COOKIE['uid'] ?? 'guest';
}

function list_products(): void
{
    header('Cache-Control: max-age=60');
    answer(200, database()->query('SELECT * FROM products')->fetchAll(PDO::FETCH_ASSOC));
}

function show_product(string $id): void
{
    $db = database();
    $found = $db->query('SELECT * FROM products WHERE id = ' . (int) $id)->fetch(PDO::FETCH_ASSOC);
    if (!$found) {
        fail(404, 'no such product');
        return;
    }
    header('Cache-Control: max-age=60');
    $found['member_price'] = floor($found['price'] * 0.95 * 100) / 100;  // 5 % off, cents cut
    $found['also_bought'] = $db->query("SELECT name FROM products WHERE id <> {$found['id']} ORDER BY random()")->fetchAll(PDO::FETCH_COLUMN);
    page($found);
}

function opening_hours(): void
{
    header('Content-Type: text/html; charset=utf-8');
    echo '<!DOCTYPE html><title>Opening hours</title><h1>Opening hours</h1><p>Monday to Saturday, 10 to 18</p>';
}

function search(): void
{
    $started = hrtime(true);
    $query = database()->prepare('SELECT * FROM products WHERE name LIKE ?');
    $query->execute(['%' . ($_GET['q'] ?? '') . '%']);
    $hits = $query->fetchAll(PDO::FETCH_ASSOC);
    page(['hits' => $hits, 'took_ns' => hrtime(true) - $started]);
}

// The nightly job that filled a table for this was switched off years ago.
function recommendations(): void
{
    usleep(250000);
    answer(200, database()->query('SELECT id, name FROM products ORDER BY stock DESC LIMIT 3')->fetchAll(PDO::FETCH_ASSOC));
}

function add_to_cart(): void
{
    $item = body();
    if (!isset($item['product'], $item['qty'])) {
        fail(422, 'product and qty are needed');
        return;
    }
    database()->prepare('INSERT INTO carts VALUES (?, ?, ?)')->execute([uid(), $item['product'], $item['qty']]);
    answer(201, ['added' => $item['qty']]);
}

function create_order(): void
{
    $db = database();
    $query = $db->prepare('SELECT SUM(price * qty) FROM carts JOIN products ON id = product WHERE uid = ?');
    $query->execute([uid()]);
    $total = floor((float) $query->fetchColumn() * 0.95 * 100) / 100;  // 5 % off, cents cut
    $query->closeCursor();  // who still reads cannot wait for his turn to write: "database is locked"
    // Nobody whose name has an apostrophe has ever been able to order here.
    $db->exec("INSERT INTO orders (uid, name, total, status) VALUES ('" . uid() . "', '" . (body()['name'] ?? '') . "', $total, 'open')");
    $id = (int) $db->lastInsertId();
    $db->prepare('DELETE FROM carts WHERE uid = ?')->execute([uid()]);
    header("Location: /orders/$id");
    answer(201, ['id' => $id, 'total' => $total, 'status' => 'open']);
}

function order(string $id): array|false
{
    $query = database()->prepare('SELECT * FROM orders WHERE id = ? AND uid = ?');
    $query->execute([$id, uid()]);
    return $query->fetch(PDO::FETCH_ASSOC);
}

function show_order(string $id): void
{
    $found = order($id);
    $found ? answer(200, $found) : fail(404, 'no such order');
}

function update_order(string $id): void
{
    if (!order($id)) {
        fail(404, 'no such order');
        return;
    }
    database()->prepare('UPDATE orders SET status = ? WHERE id = ?')->execute([body()['status'] ?? 'open', $id]);
    answer(200, order($id));
}

function delete_order(string $id): void
{
    database()->prepare('DELETE FROM orders WHERE id = ? AND uid = ?')->execute([$id, uid()]);
    answer(204, null);
}

function route(string $method, string $path): void
{
    $routes = [
        ['GET', '/products', fn () => list_products()],
        ['GET', '/products/(\d+)', fn ($id) => show_product($id)],
        ['GET', '/search', fn () => search()],
        ['GET', '/opening-hours', fn () => opening_hours()],
        ['GET', '/recommendations', fn () => recommendations()],
        ['POST', '/cart', fn () => add_to_cart()],
        ['POST', '/orders', fn () => create_order()],
        ['GET', '/orders/(\d+)', fn ($id) => show_order($id)],
        ['PATCH', '/orders/(\d+)', fn ($id) => update_order($id)],
        ['DELETE', '/orders/(\d+)', fn ($id) => delete_order($id)],
    ];
    foreach ($routes as [$verb, $pattern, $handler]) {
        if ($verb === $method && preg_match("#^$pattern$#", $path, $match)) {
            $handler(...array_slice($match, 1));
            return;
        }
    }
    fail(404, 'no such page');
}

if (PHP_SAPI === 'cli') {
    create_tables();  // `php index.php`, once, before the server starts
    return;
}
try {
    route($_SERVER['REQUEST_METHOD'], parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
} catch (Throwable $error) {
    fail(500, $error->getMessage());
}
