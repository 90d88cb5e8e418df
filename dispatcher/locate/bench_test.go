package locate

import (
	"context"
	"testing"
)

func BenchmarkLiteral(b *testing.B) {
	b.ReportAllocs()
	to := Target{Host: "192.0.2.17", Port: 5080}
	for b.Loop() {
		if _, ok := Literal(to); !ok {
			b.Fatal("no literal")
		}
	}
}

func BenchmarkLiteralName(b *testing.B) {
	b.ReportAllocs()
	to := Target{Host: "gateway.carrier.test"}
	for b.Loop() {
		if _, ok := Literal(to); ok {
			b.Fatal("a literal")
		}
	}
}

// BenchmarkCached is the call path: a domain with SRV records, and one without.
func BenchmarkCached(b *testing.B) {
	z := serve(b, rfc3263, nil)
	for _, host := range []string{"srv.test", "plain.test", "nobody.test", "192.0.2.1"} {
		b.Run(host, func(b *testing.B) {
			r := asking(z)
			r.Lookup(context.Background(), target(host))
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := r.Cached(Target{Host: host}); !ok {
					b.Fatal("not known")
				}
			}
		})
	}
}
