// Package gateway is what the dispatcher knows of an account's gateways: where
// they are, whether they are up, how many calls they take, and how to answer
// when they ask who we are.
//
//	Config ──New──> Gateway <── Order, Enter, Next, Ended, Answer, Leave   (each call)
//	                   ^ ^
//	                   │ └───── Due, Pinged                                (the pinger)
//	                   └─────── State                                      (API, metrics)
//
// It holds values and does arithmetic: it opens no socket, reads no clock,
// starts no goroutine and logs nothing. Whoever places the calls and sends the
// pings says what came of them and what time it is.
//
// All shards share one Gateway for each gateway that is configured. A reload
// keeps it while its Config is the [Gateway.Same], so calls under way stay
// counted and nobody has to find out again who is down. One that was replaced
// goes on counting its own calls until the last has left.
package gateway
