package standin

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
)

// output is what a read or a subscription sends.
type output struct {
	node    *Node
	stream  grpc.ServerStream
	name    string
	point   Point
	sent    int
	textIDs bool
	muted   <-chan struct{} // closed when a subscription has fallen silent
}

func (o *output) send(m any) error {
	select {
	case <-o.muted:
		return o.node.suffer(o.stream.Context(), Silent)
	default:
	}
	if err := o.node.hit(o.stream.Context(), o.point, o.name, o.sent); err != nil {
		return err
	}
	o.sent++
	return o.stream.SendMsg(m)
}

func (o *output) event(r *record) error {
	if o.textIDs {
		return o.send(r.withTextID())
	}
	return o.send(r.wire)
}

func confirmation(id string) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Confirmation{Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: id}}}
}

func checkpointAt(position uint64) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: position, PreparePosition: position}}}
}

var caughtUp = encode(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
