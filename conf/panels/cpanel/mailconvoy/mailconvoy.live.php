<?php
/*
 * cPanel's page of mailconvoy.  cPanel runs it as the customer's own system user, and mailconvoy's socket knows by the
 * kernel who asks: no secret is needed here.  Without "?open=1" it is a page with a link, or a frame; with it, the way
 * to mailconvoy, signed in.
 */

function mailconvoy_settings(): array
{
    $read = parse_ini_file(__DIR__ . '/settings.ini', false, INI_SCANNER_TYPED);

    return ($read ?: []) + ['ctl' => '/usr/sbin/mailconvoyctl', 'embed' => false];
}

/** A link that works once and for a minute; null when there is none to be had. */
function mailconvoy_link(array $settings, bool $embed): ?string
{
    $words = [$settings['ctl'], 'sso-link', '--local', '--return-to', '/migration/jobs' . ($embed ? '?embed=1' : '')];
    $pipes = [];
    $child = proc_open($words, [0 => ['file', '/dev/null', 'r'], 1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']],
        $pipes, '/', ['PATH' => '/usr/sbin:/usr/bin:/sbin:/bin']);

    if ($child === false) {
        return null;
    }
    $url = trim((string) stream_get_contents($pipes[1], 4096));
    fclose($pipes[1]);
    $ok = proc_close($child) === 0;
    if (!$ok || !preg_match('#^(https://|http://(127\.0\.0\.1|localhost):)[A-Za-z0-9._~:/?=%-]+$#D', $url)) {
        return null;
    }
    return $embed ? $url . '?embed=1' : $url;
}

$settings = mailconvoy_settings();
$embed = (bool) $settings['embed'];

if (($_GET['open'] ?? '') !== '') {
    $url = mailconvoy_link($settings, $embed && $_GET['open'] !== 'window');
    header('Cache-Control: no-store');
    header('Referrer-Policy: no-referrer');
    if ($url !== null) {
        header('Location: ' . $url, true, 303);
        exit;
    }
    http_response_code(503);
    header('Content-Type: text/plain; charset=utf-8');
    exit("Mail migration cannot be opened now. Try again in a minute; if it stays so, tell your provider.\n");
}

if (!class_exists('CPANEL')) {
    require_once '/usr/local/cpanel/php/cpanel.php';
}
$cpanel = new CPANEL();
echo $cpanel->header('Mail migration', 'mailconvoy');
if ($embed) {
    echo '<iframe title="Mail migration" src="mailconvoy.live.php?open=frame"'
        . ' style="border:0;width:100%;height:80vh"></iframe>', "\n";
    echo '<p><a href="mailconvoy.live.php?open=window" target="_blank" rel="noopener">Open in a window of its own</a></p>', "\n";
} else {
    echo "<p>Move mailboxes from another provider to this server, or between servers.</p>\n";
    echo '<p><a class="btn btn-primary" href="mailconvoy.live.php?open=window" target="_blank" rel="noopener">'
        . 'Open mail migration</a></p>', "\n";
}
echo $cpanel->footer();
$cpanel->end();
