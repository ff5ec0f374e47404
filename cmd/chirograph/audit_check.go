package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	c := &cobra.Command{
		Use: "check NAME", Short: "Check a proof, offline, and tell what it proves", Args: exactly("NAME"),
		Long: `Checks NAME.proof and NAME.record, as "audit prove --out NAME" has written them,
with the verifier key of the log. It needs no data folder and asks nobody.

Whoever makes a false proof can make a key that fits it. So take the key from
where you trust it, with --key; NAME.vkey is only taken without it.

Exit code 0: the event is in the log that the key signs for. 10: it is not, or
something was changed.`,
	}
	c.Flags().String("key", "", "verifier key, as audit prove shows it (default: that in NAME.vkey)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := readProof(args[0], text(cmd, "key"))
		if err != nil {
			return err
		}
		found, err := p.check()
		if err != nil {
			return coded{fmt.Errorf("the proof does not hold: %w", err), exitAltered}
		}
		raw, err := json.Marshal(found)
		if err != nil {
			return err
		}
		return show(cmd, raw, column{"LEAF", "leaf"}, column{"STREAM", "stream"}, column{"TYPE", "type"}, column{"RECORDED (UTC)", "recorded"},
			column{"CHECKPOINT", "checkpoint.size"}, column{"EPOCH", "checkpoint.epoch"})
	}
	return c
}

// A proof as it lies in files.
type proof struct {
	proof, record []byte
	key           string
}

// maxRecord bounds the record of an event.
const maxRecord = 4 << 20

func readProof(name, key string) (p proof, err error) {
	if p.proof, err = readBounded(name + ".proof"); err != nil {
		return p, err
	}
	if p.record, err = readBounded(name + ".record"); err != nil {
		return p, err
	}
	if key == "" {
		beside, err := readBounded(name + ".vkey")
		if err != nil {
			return p, err
		}
		key = string(beside)
	}
	p.key = key
	return p, nil
}

func readBounded(path string) ([]byte, error) {
	about, err := os.Stat(path)
	if err == nil && about.Size() > maxRecord {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxRecord)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// check returns what is proved.
func (p proof) check() (object, error) {
	log, key, err := ledger.ParseVerifierKey(p.key)
	if err != nil {
		return nil, err
	}
	c, err := ledger.CheckProof(p.proof, log, key, p.record)
	if err != nil {
		return nil, err
	}
	_, e, err := ledger.ParseRecord(p.record)
	if err != nil {
		return nil, err
	}
	return object{
		"log": log, "leaf": e.Leaf, "stream": e.Stream, "revision": e.Revision, "event_id": e.ID, "type": e.Type, "version": e.Version,
		"recorded": e.Recorded, "meta": stored(e.Meta), "data": stored(e.Data),
		"checkpoint": object{"epoch": c.Epoch, "size": c.Size, "root": c.Root},
	}, nil
}

// stored is JSON as it was stored.
func stored(raw []byte) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	return raw
}
