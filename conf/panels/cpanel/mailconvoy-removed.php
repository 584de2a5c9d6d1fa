#!/usr/local/cpanel/3rdparty/bin/php -q
<?php
/*
 * A standardized hook of cPanel, run as root after an account was removed: closes the account in mailconvoy, so that
 * who gets the same name next does not come upon this customer's jobs.  cPanel writes one JSON object to standard
 * input; an answer of "1" says that all is well (nothing is undone by saying otherwise: the user is gone already).
 */
if (in_array('--describe', $argv, true)) {
    echo json_encode([['category' => 'Whostmgr', 'event' => 'Accounts::Remove', 'stage' => 'post',
        'hook' => '/usr/local/cpanel/3rdparty/bin/mailconvoy-removed.php', 'exectype' => 'script']]), "\n";
    exit(0);
}
$told = json_decode((string) stream_get_contents(STDIN), true);
$user = $told['data']['user'] ?? '';
if (is_string($user) && preg_match('/^[A-Za-z0-9._][A-Za-z0-9._-]*$/D', $user)) {
    $file = '/usr/local/cpanel/base/frontend/jupiter/mailconvoy/settings.ini';
    $settings = (is_readable($file) ? parse_ini_file($file) : []) ?: [];
    $ctl = $argv[1] ?? $settings['ctl'] ?? '/usr/sbin/mailconvoyctl';
    $none = ['file', '/dev/null', 'w'];
    $pipes = [];
    $child = proc_open([$ctl, 'account', 'close', 'id:' . $user], [0 => ['file', '/dev/null', 'r'], 1 => $none, 2 => $none],
        $pipes, '/', ['PATH' => '/usr/sbin:/usr/bin:/sbin:/bin']);
    $code = $child === false ? -1 : proc_close($child);
    // 65: never used it
    if ($code !== 0 && $code !== 65) {
        fwrite(STDERR, "mailconvoy: the account of $user is not closed; do it by: mailconvoyctl account close id:$user\n");
    }
}
echo "1\n";
