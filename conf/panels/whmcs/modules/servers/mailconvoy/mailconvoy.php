<?php
/*
 * WHMCS provisioning module: a mailconvoy account for each service.
 *
 * The server in WHMCS names mailconvoy's host; its access hash is an API token of the installation with the issuer
 * whmcs and the scopes accounts:write and sso:create.  WHMCS keeps it encrypted and shows it to staff alone; customers get nothing but links
 * that work once.  Every function may be called again: what is done already is answered with success.
 */

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

require_once __DIR__ . '/lib/Api.php';

use Mailconvoy\Api;
use Mailconvoy\Refused;

function mailconvoy_MetaData()
{
    return [
        'DisplayName' => 'mailconvoy',
        'APIVersion' => '1.1',
        'RequiresServer' => true,
        'DefaultNonSSLPort' => '80',
        'DefaultSSLPort' => '443',
        'ServiceSingleSignOnLabel' => 'Open mail migration',
    ];
}

function mailconvoy_ConfigOptions()
{
    return [
        'Jobs waiting at once' => ['Type' => 'text', 'Size' => '8', 'Description' => 'Empty: no limit'],
        'Jobs made in a day' => ['Type' => 'text', 'Size' => '8', 'Description' => 'Empty: no limit'],
        'May copy to' => ['Type' => 'text', 'Size' => '60',
            'Description' => 'Destination servers, commas between; *.example.org for all of a domain. Empty: anywhere'],
    ];
}

function mailconvoy_TestConnection(array $params)
{
    try {
        (new Api($params))->get('/accounts?external_id=whmcs-0');
        return ['success' => true, 'error' => ''];
    } catch (Refused $problem) {
        return ['success' => false, 'error' => $problem->getMessage()];
    }
}

/** What mailconvoy knows the service by. */
function mailconvoy_external_id(array $params)
{
    return 'whmcs-' . (int) $params['serviceid'];
}

/** The client in this service: the same client is another user in another, and another client, too. */
function mailconvoy_user(array $params)
{
    return mailconvoy_external_id($params) . '-client-' . (int) ($params['clientsdetails']['userid'] ?? 0);
}

/** The account of the service, or null. */
function mailconvoy_account(Api $api, array $params)
{
    return $api->get('/accounts?external_id=' . mailconvoy_external_id($params))['accounts'][0] ?? null;
}

/** The client's, for staff to read: a company, else a person; 60 characters at most. */
function mailconvoy_name(array $params)
{
    $client = $params['clientsdetails'];
    $who = trim($client['companyname'] ?? '') ?: trim(($client['firstname'] ?? '') . ' ' . ($client['lastname'] ?? ''));
    // WHMCS hands over what clients typed as HTML
    $who = trim(preg_replace('/\p{C}+/u', ' ', html_entity_decode($who, ENT_QUOTES | ENT_HTML5, 'UTF-8')) ?? '');

    return preg_match('/^.{1,60}/us', $who, $cut) ? $cut[0] : 'Customer';
}

/** Runs $work(Api); WHMCS wants "success", or a sentence for staff. */
function mailconvoy_run(array $params, $action, callable $work)
{
    $api = new Api($params);
    try {
        $work($api);
        $result = 'success';
    } catch (Refused $problem) {
        $result = $problem->getMessage();
    }
    if (function_exists('logModuleCall')) {
        logModuleCall('mailconvoy', $action, mailconvoy_external_id($params), $result, '', $api->secrets());
    }
    return $result;
}

function mailconvoy_CreateAccount(array $params)
{
    return mailconvoy_run($params, __FUNCTION__, function (Api $api) use ($params) {
        $api->post('/accounts', [
            'name' => mailconvoy_name($params) . ' (WHMCS ' . (int) $params['serviceid'] . ')',
            'external_id' => mailconvoy_external_id($params),
            'max_queued' => trim($params['configoption1'] ?? ''),
            'max_daily' => trim($params['configoption2'] ?? ''),
            'hosts' => trim($params['configoption3'] ?? ''),
            'may_exist' => '1',
        ]);
    });
}

/** Suspend, resume or close; an account there is not is closed already, and is no mistake when it is to be. */
function mailconvoy_change(array $params, $action, $verb, $mayBeMissing)
{
    return mailconvoy_run($params, $action, function (Api $api) use ($params, $verb, $mayBeMissing) {
        $account = mailconvoy_account($api, $params);
        if ($account !== null) {
            $api->post('/accounts/' . (int) $account['id'] . '/' . $verb, []);
        } elseif (!$mayBeMissing) {
            throw new Refused('mailconvoy has no account ' . mailconvoy_external_id($params) . ': create it first.');
        }
    });
}

function mailconvoy_SuspendAccount(array $params)
{
    return mailconvoy_change($params, __FUNCTION__, 'suspend', false);
}

function mailconvoy_UnsuspendAccount(array $params)
{
    return mailconvoy_change($params, __FUNCTION__, 'resume', false);
}

function mailconvoy_TerminateAccount(array $params)
{
    return mailconvoy_change($params, __FUNCTION__, 'close', true);
}

function mailconvoy_ServiceSingleSignOn(array $params)
{
    $api = new Api($params);
    try {
        $link = $api->post('/sso-links', [
            'account' => mailconvoy_external_id($params),
            'user' => mailconvoy_user($params),
            'email' => filter_var($params['clientsdetails']['email'] ?? '', FILTER_VALIDATE_EMAIL) ?: '',
            'role' => 'member',
            'return_to' => '/migration/jobs',
            'must_exist' => '1',
            // staff who look at a customer's service, or are logged in as the customer
            'support' => isset($_SESSION['adminid']) ? 'WHMCS administrator ' . (int) $_SESSION['adminid'] : '',
        ]);
        return ['success' => true, 'redirectTo' => $link['url']];
    } catch (Refused $problem) {
        if (function_exists('logModuleCall')) {
            logModuleCall('mailconvoy', __FUNCTION__, mailconvoy_external_id($params), $problem->getMessage(), '',
                $api->secrets());
        }
        // the customer reads this: what went wrong is in the module log
        return ['success' => false, 'errorMsg' => 'Mail migration cannot be opened now. Try again in a minute.'];
    }
}
