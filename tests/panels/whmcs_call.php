<?php
/* Calls one function of the module as WHMCS does: {"call", "params", "staff"} on standard input, its result as JSON. */
define('WHMCS', true);

function logModuleCall($module, $action, $request, $response, $processed = '', array $secrets = [])
{
    $text = json_encode([$module, $action, $request, $response, $processed]);
    fwrite(STDERR, str_replace($secrets, '*', $text) . "\n");
}

require $argv[1] . '/mailconvoy.php';
$asked = json_decode(stream_get_contents(STDIN), true);
if (array_key_exists('staff', $asked)) {
    $_SESSION['adminid'] = $asked['staff'];
}
echo json_encode($asked['call'](...(array_key_exists('params', $asked) ? [$asked['params']] : [])));
