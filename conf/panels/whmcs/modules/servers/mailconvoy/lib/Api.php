<?php
/* mailconvoy's API, as far as the module needs it. */

namespace Mailconvoy;

/** The sentence is for staff; it holds no secret. */
class Refused extends \RuntimeException
{
}

class Api
{
    private const TIMEOUT_S = 20;
    private const ANSWER_MAX_BYTES = 1048576;

    private $base;
    private $token;

    /** $params: what WHMCS gives every function of a module. */
    public function __construct(array $params)
    {
        $host = ($params['serverhostname'] ?? '') ?: ($params['serverip'] ?? '');
        $port = (int) ($params['serverport'] ?? 0);
        $secure = !empty($params['serversecure']);

        // a token is never sent in the clear but to this machine itself
        if (!$secure && !in_array($host, ['127.0.0.1', 'localhost'], true)) {
            $secure = true;
        }
        $this->base = ($secure ? 'https://' : 'http://') . $host . ($port > 0 ? ':' . $port : '') . '/api/v1';
        $this->token = trim($params['serveraccesshash'] ?? '') ?: trim($params['serverpassword'] ?? '');
    }

    /** What must not stand in a log. */
    public function secrets(): array
    {
        return array_filter([$this->token]);
    }

    public function get(string $path): array
    {
        return $this->send('GET', $path, null);
    }

    public function post(string $path, array $fields): array
    {
        return $this->send('POST', $path, json_encode((object) $fields));
    }

    private function send(string $method, string $path, ?string $body): array
    {
        if (!preg_match('/^mcv_[0-9a-f]{64}$/D', $this->token)) {
            throw new Refused('The server has no API token of mailconvoy: put one ("mcv_…") into its access hash.');
        }
        $header = "Authorization: Bearer {$this->token}\r\nAccept: application/json\r\n";
        $context = stream_context_create([
            'http' => [
                'method' => $method,
                'header' => $header . ($body === null ? '' : "Content-Type: application/json\r\n"),
                'content' => $body ?? '',
                'timeout' => self::TIMEOUT_S,
                'follow_location' => 0,
                'ignore_errors' => true,
            ],
            'ssl' => ['verify_peer' => true, 'verify_peer_name' => true],
        ]);
        $text = @file_get_contents($this->base . $path, false, $context, 0, self::ANSWER_MAX_BYTES);
        $status = isset($http_response_header[0]) && preg_match('/^HTTP\S+ (\d{3})/', $http_response_header[0], $m)
            ? (int) $m[1] : 0;
        if ($text === false || $status === 0) {
            throw new Refused('mailconvoy cannot be reached at ' . $this->base . '.');
        }
        $answer = json_decode($text, true);
        if ($status >= 200 && $status < 300) {
            return is_array($answer) ? $answer : [];
        }
        throw new Refused($this->reason($status, is_array($answer) ? $answer : []));
    }

    private function reason(int $status, array $answer): string
    {
        $text = trim(($answer['title'] ?? 'mailconvoy refused') . ' (' . $status . '). ' . ($answer['detail'] ?? ''));
        foreach (is_array($answer['fields'] ?? null) ? $answer['fields'] : [] as $field => $why) {
            $text .= ' ' . $field . ': ' . $why;
        }
        return $text;
    }
}
