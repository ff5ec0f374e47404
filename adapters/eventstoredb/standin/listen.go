package standin

import (
	"context"
	"net"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

func (n *Node) listen() error {
	l, err := net.Listen("tcp", n.Address())
	if err != nil {
		return err
	}
	server := grpc.NewServer(n.settings()...)
	streams.RegisterStreamsServer(server, n)
	gossip.RegisterGossipServer(server, members{node: n})
	serverfeatures.RegisterServerFeaturesServer(server, features{node: n})

	n.mu.Lock()
	n.address, n.door, n.server, n.closing, n.horizon = l.Addr().String(), l, server, false, everything
	n.mu.Unlock()
	go server.Serve(door{l, &n.sockets})
	return nil
}

// settings are those of a server as it is delivered.
func (n *Node) settings() []grpc.ServerOption {
	const often = 10 * time.Second
	s := []grpc.ServerOption{
		grpc.ForceServerCodecV2(newCodec()),
		grpc.ChainStreamInterceptor(n.streaming),
		grpc.ChainUnaryInterceptor(n.single),
		grpc.MaxRecvMsgSize(16 << 20),
		grpc.MaxConcurrentStreams(100), // of one connection, subscriptions included
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: often, Timeout: often}),
		// gRPC for Go would hang up on clients that ask as often as this one.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	if c := n.cluster.certificate; c != nil {
		s = append(s, grpc.Creds(credentials.NewTLS(c)))
	}
	return s
}

// streaming and single stand between gRPC and the calls: they refuse wrong
// passwords before anything is read, and send the trailers of refusals.
func (n *Node) streaming(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, call grpc.StreamHandler) error {
	err := n.authenticate(s.Context())
	if err == nil {
		err = call(srv, s)
	}
	if t := trailers(err); t != nil {
		s.SetTrailer(t)
	}
	return err
}

func (n *Node) single(ctx context.Context, req any, _ *grpc.UnaryServerInfo, call grpc.UnaryHandler) (any, error) {
	err := n.authenticate(ctx)
	if err != nil {
		return nil, err
	}
	reply, err := call(ctx, req)
	if t := trailers(err); t != nil {
		grpc.SetTrailer(ctx, t)
	}
	return reply, err
}
