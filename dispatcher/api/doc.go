// Package api is the HTTP side: liveness, readiness, metrics, the workers, and
// the plans. It reads what other packages publish and passes commands on; it owns
// no state, and nothing but cmd imports it.
//
//	/livez  /readyz?verbose  /metrics
//	/v1/workers                                   GET; ?all=1 those for suspects too
//	/v1/workers/{id}/drain, recycle, disable, enable
//	                                              POST ?reason=&by=, with the bearer token
//	/v1/workers/{id}/probe-token                  POST, with the bearer token
//	/v1/events                                    GET ?after=&limit=&kind=&subject=&follow=1, with the bearer token
//	/v1/gateways  /v1/quarantine                  GET, with the bearer token
//	/v1/accounts/{account}/plans                  GET, with the bearer token
//	/v1/accounts/{account}/plans/{plan}           PUT: publish
//	/v1/accounts/{account}/plans/{plan}/versions  GET
//	/v1/accounts/{account}/plans/{plan}/rollback  POST ?version=N
//	/v1/accounts/{account}/plans/{plan}/versions/{version}/release
//	                                              POST ?reason=&by=
//
// Every command goes into the journal with its reason and who gave it. The journal is
// followed as lines of JSON or as server-sent events, by a bounded number of clients;
// one that does not read for ten seconds is dropped.
//
// A slow or dead client costs its own connection: the server has time limits, and
// no handler holds anything of the call path.
package api
