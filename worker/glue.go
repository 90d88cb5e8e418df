package worker

import (
	"context"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"dialyard/proto"
)

// pluginName is the one plugin a worker serves.
const pluginName = "worker"

// handshake keeps a worker from being started by hand. The version is that of
// worker.proto; host and worker are one binary, so it never differs.
var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "DIALYARD_WORKER",
	MagicCookieValue: "started by dialyard serve",
}

// gluePlugin ties the generated gRPC code to go-plugin, on both sides.
type gluePlugin struct {
	plugin.NetRPCUnsupportedPlugin
	server proto.WorkerServer // on the child side
}

func (g *gluePlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	proto.RegisterWorkerServer(s, g.server)
	return nil
}

func (g *gluePlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return proto.NewWorkerClient(conn), nil
}
