// Package api is the HTTP side: liveness, readiness, metrics, the workers, and
// the plans. It reads what other packages publish and passes commands on; it owns
// no state, and nothing but cmd imports it.
//
//	/livez  /readyz?verbose  /metrics
//	/v1/workers                                   GET
//	/v1/workers/{id}/drain, recycle, probe-token  POST, with the bearer token
//	/v1/accounts/{account}/plans                  GET, with the bearer token
//	/v1/accounts/{account}/plans/{plan}           PUT: publish
//	/v1/accounts/{account}/plans/{plan}/versions  GET
//	/v1/accounts/{account}/plans/{plan}/rollback  POST ?version=N
//
// A slow or dead client costs its own connection: the server has time limits, and
// no handler holds anything of the call path.
package api
