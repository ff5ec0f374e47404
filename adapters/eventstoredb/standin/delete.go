package standin

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// Delete serves Streams.Delete: the stream can be written to again.
func (n *Node) Delete(ctx context.Context, r *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := r.GetOptions()
	expected := int64(anyRevision)
	switch o.GetExpectedStreamRevision().(type) {
	case *streams.DeleteReq_Options_Revision:
		expected = int64(o.GetRevision())
	case *streams.DeleteReq_Options_NoStream:
		expected = noStream
	case *streams.DeleteReq_Options_StreamExists:
		expected = streamExists
	}
	at, err := n.remove(ctx, string(o.GetStreamIdentifier().GetStreamName()), expected, false)
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{
		Position: &streams.DeleteResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// Tombstone serves Streams.Tombstone: the name is used up.
func (n *Node) Tombstone(ctx context.Context, r *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	o := r.GetOptions()
	expected := int64(anyRevision)
	switch o.GetExpectedStreamRevision().(type) {
	case *streams.TombstoneReq_Options_Revision:
		expected = int64(o.GetRevision())
	case *streams.TombstoneReq_Options_NoStream:
		expected = noStream
	case *streams.TombstoneReq_Options_StreamExists:
		expected = streamExists
	}
	at, err := n.remove(ctx, string(o.GetStreamIdentifier().GetStreamName()), expected, true)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

func (n *Node) remove(ctx context.Context, name string, expected int64, forEver bool) (uint64, error) {
	if name == "" {
		return 0, thrown
	}
	if err := n.admit(ctx, name); err != nil {
		return 0, err
	}
	o, err := n.write(ctx, name, func() (outcome, error) {
		return n.cluster.store.delete(ctx, name, expected, forEver)
	})
	switch {
	case err != nil:
		return 0, err
	case o.verdict == gone:
		return 0, streamDeleted(name)
	case o.verdict != accepted:
		return 0, wrongVersion(name, expected, o.current)
	}
	return o.position, nil
}
