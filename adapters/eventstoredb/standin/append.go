package standin

import (
	"context"
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/status"
)

// Append serves Streams.Append. Refusals of access and of size come before the
// caller has finished, all others after.
func (n *Node) Append(s streams.Streams_AppendServer) error {
	ctx := s.Context()
	m, err := s.Recv()
	if err != nil {
		return err
	}
	header := m.GetOptions()
	name, expected := string(header.GetStreamIdentifier().GetStreamName()), expectation(header)
	if header == nil || name == "" {
		return thrown
	}
	if err := n.admit(ctx, name); err != nil {
		return err
	}
	if err := n.hit(ctx, AppendHeader, name, 0); err != nil {
		return err
	}
	proposals, err := n.drain(s)
	if err != nil {
		return err
	}
	o, err := n.write(ctx, name, func() (outcome, error) {
		return n.cluster.store.append(ctx, name, expected, proposals)
	})
	if err != nil {
		return err
	}
	return answer(s, name, header, o)
}

// write is what appends and deletions have in common.
func (n *Node) write(ctx context.Context, name string, commit func() (outcome, error)) (outcome, error) {
	if err := n.mayWrite(ctx); err != nil {
		return outcome{}, err
	}
	if err := n.hit(ctx, BeforeCommit, name, 0); err != nil {
		return outcome{}, err
	}
	o, err := commit()
	if err != nil {
		return o, n.failed(ctx, err)
	}
	return o, n.hit(ctx, AfterCommit, name, 0)
}

// failed is what comes of a write that could not be made: the caller has gone,
// or the disk is full, upon which a server ends itself.
func (n *Node) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return n.suffer(ctx, errors.Join(DiskFull, err))
}

func expectation(o *streams.AppendReq_Options) int64 {
	switch o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		return int64(o.GetRevision())
	case *streams.AppendReq_Options_NoStream:
		return noStream
	case *streams.AppendReq_Options_StreamExists:
		return streamExists
	}
	return anyRevision
}

// drain reads the events of an append to their end.
func (n *Node) drain(s streams.Streams_AppendServer) (proposals []proposal, err error) {
	limit := n.cluster.options.MaxAppendBytes
	for size := 0; ; {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return proposals, nil
		}
		if err != nil {
			return nil, err
		}
		p, err := propose(m.GetProposedMessage())
		if err != nil {
			return nil, err
		}
		if size += p.size(); size > limit {
			return nil, tooLarge(limit)
		}
		proposals = append(proposals, p)
	}
}

func propose(m *streams.AppendReq_ProposedMessage) (proposal, error) {
	for _, property := range []string{"type", "content-type"} {
		if _, ok := m.GetMetadata()[property]; !ok {
			return proposal{}, missing(property)
		}
	}
	p := proposal{
		id: parseUUID(m.GetId()), kind: m.GetMetadata()["type"], json: m.GetMetadata()["content-type"] == asJSON,
		data: m.GetData(), meta: m.GetCustomMetadata(),
	}
	if p.id == uuid.Nil || p.kind == "" {
		return p, thrown
	}
	return p, nil
}

func answer(s streams.Streams_AppendServer, name string, header *streams.AppendReq_Options, o outcome) error {
	switch o.verdict {
	case gone:
		return streamDeleted(name)
	case conflict:
		return s.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: mismatch(header, o.current)}})
	}
	success := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(o.current)},
		PositionOption:        &streams.AppendResp_Success_Position{Position: &streams.AppendResp_Position{CommitPosition: o.position, PreparePosition: o.position}},
	}
	if o.current < 0 {
		success.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	}
	if !o.placed {
		success.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	return s.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: success}})
}

// mismatch says what was expected and what there is.
func mismatch(header *streams.AppendReq_Options, current int64) *streams.AppendResp_WrongExpectedVersion {
	w := &streams.AppendResp_WrongExpectedVersion{
		CurrentRevisionOption: &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(current)},
	}
	if current < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	}
	switch expectation(header) {
	case noStream:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	case streamExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	case anyRevision:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: header.GetRevision()}
	}
	return w
}
