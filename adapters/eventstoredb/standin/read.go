package standin

import (
	"math"
	"slices"
	"sort"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
)

// Read serves Streams.Read: reads and subscriptions, of a stream and of $all.
func (n *Node) Read(r *streams.ReadReq, s streams.Streams_ReadServer) error {
	o, ctx := r.GetOptions(), s.Context()
	if o.GetUuidOption() == nil {
		return Refuse(codes.InvalidArgument, " `uuidOption` is a required argument of type UUIDOption")
	}
	out := &output{node: n, stream: s, name: "$all", point: ReadMessage, textIDs: textIDs(o)}
	if o.GetStream() != nil {
		out.name = string(o.GetStream().GetStreamIdentifier().GetStreamName())
	}
	if out.name == "" {
		return thrown
	}
	if err := n.admit(ctx, out.name); err != nil {
		return err
	}
	if err := n.mayRead(ctx); err != nil {
		return err
	}
	switch _, subscribes := o.GetCountOption().(*streams.ReadReq_Options_Subscription); {
	case subscribes:
		return n.subscribe(ctx, o, out)
	case o.GetStream() != nil:
		return readStream(n.view(), o, out)
	}
	return readAll(n.view(), o, out)
}

func textIDs(o *streams.ReadReq_Options) bool {
	_, text := o.GetUuidOption().GetContent().(*streams.ReadReq_Options_UUIDOption_String_)
	return text
}

// readAll sends events of $all: forwards from a position, or backwards from
// what comes before it.
func readAll(v view, o *streams.ReadReq_Options, out *output) error {
	match, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	log, _ := v.log()
	from, err := v.place(log, o)
	if err != nil {
		return err
	}
	left := o.GetCount()
	visit := func(r *record) (more bool, err error) {
		if left == 0 {
			return false, nil
		}
		if match(r) {
			left--
			err = out.event(r)
		}
		return err == nil, err
	}
	if o.GetReadDirection() == streams.ReadReq_Options_Backwards {
		return each(slices.Backward(log[:from]), visit)
	}
	return each(slices.All(log[from:]), visit)
}

func each(records func(func(int, *record) bool), visit func(*record) (bool, error)) (err error) {
	for _, r := range records {
		var more bool
		if more, err = visit(r); !more {
			break
		}
	}
	return err
}

// readStream sends events of one stream.
func readStream(v view, o *streams.ReadReq_Options, out *output) error {
	visible, last, is := v.stream(out.name)
	switch is {
	case tombstoned:
		return streamDeleted(out.name)
	case absent:
		return out.send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: o.GetStream().GetStreamIdentifier()},
		}})
	}
	page, next := paged(visible, last, o)
	detailed := o.GetControlOption().GetCompatibility() >= 1
	if backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards; detailed && !backwards && len(page) == 0 && next >= 0 {
		if err := out.send(&streams.ReadResp{Content: &streams.ReadResp_FirstStreamPosition{FirstStreamPosition: uint64(next)}}); err != nil {
			return err
		}
	}
	for _, r := range page {
		if err := out.event(r); err != nil {
			return err
		}
	}
	if detailed {
		return out.send(&streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: uint64(last)}})
	}
	return nil
}

// paged returns the part of a stream that was asked for, and where one that
// found nothing had better begin, -1 if it need not.
func paged(visible []*record, last int64, o *streams.ReadReq_Options) (page []*record, next int64) {
	s := o.GetStream()
	revision, backwards := int64(0), o.GetReadDirection() == streams.ReadReq_Options_Backwards
	switch s.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		revision = int64(min(s.GetRevision(), math.MaxInt64))
	case *streams.ReadReq_Options_StreamOptions_End:
		revision = math.MaxInt64
	}
	count := int(min(o.GetCount(), uint64(len(visible))))
	from := sort.Search(len(visible), func(i int) bool { return visible[i].revision >= revision })
	if backwards {
		if from < len(visible) && visible[from].revision == revision {
			from++
		}
		page = slices.Clone(visible[max(0, from-count):from])
		slices.Reverse(page)
		return page, -1
	}
	page = visible[from:min(len(visible), from+count)]
	if next = last + 1; next == revision {
		next = -1
	}
	return page, next
}
