-- A copied database must not listen, answer or publish in the name of the original.
DELETE FROM social_crm_credential;
DELETE FROM social_crm_revocation;
DELETE FROM social_crm_oauth_state;
UPDATE social_crm_app SET secret = NULL;
UPDATE social_crm_account SET state = 'disconnected' WHERE state IN ('connected', 'reconnect');
UPDATE social_crm_engagement SET delivery_state = 'cancelled'
 WHERE delivery_state IN ('queued', 'sending', 'unconfirmed');
UPDATE social_crm_publication SET delivery_state = 'cancelled'
 WHERE delivery_state IN ('queued', 'sending', 'unconfirmed');
