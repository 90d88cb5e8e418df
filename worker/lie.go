//go:build !faults

package worker

import (
	"google.golang.org/grpc"

	"dialyard/proto"
)

// spoken is the child's stream as it is; with the build tag faults it may lie.
func spoken(s grpc.BidiStreamingServer[proto.ToWorker, proto.ToHost]) grpc.BidiStreamingServer[proto.ToWorker, proto.ToHost] {
	return s
}
