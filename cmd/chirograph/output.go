package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

// A column of a table: its title, and where its value is in the JSON of a row,
// as in "client.name".
type column struct{ title, path string }

// show writes an answer to standard output in the form that was asked for. A
// table has one row an item; the first column is what --quiet prints.
func show(cmd *cobra.Command, raw json.RawMessage, columns ...column) error {
	form, _ := cmd.Flags().GetString("output")
	quiet, _ := cmd.Flags().GetBool("quiet")
	out := cmd.OutOrStdout()
	switch {
	case quiet:
		return showIDs(out, rows(raw), columns)
	case form == "json":
		var b bytes.Buffer
		if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err != nil {
			return err
		}
		_, err := fmt.Fprintln(out, b.String())
		return err
	case form == "jsonl":
		for _, row := range rows(raw) {
			line, err := json.Marshal(row)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, string(line))
		}
		return nil
	case form == "yaml":
		return showYAML(out, raw)
	case form == "table":
		return showTable(cmd, raw, columns)
	}
	return usageError{fmt.Errorf("--output must be table, json, yaml or jsonl")}
}

// rows returns the items of a listing, or the answer itself as the only one.
func rows(raw json.RawMessage) []map[string]any {
	var list struct {
		Items []map[string]any `json:"items"`
	}
	if decode(raw, &list) == nil && list.Items != nil {
		return list.Items
	}
	var one map[string]any
	if decode(raw, &one) != nil {
		return nil
	}
	return []map[string]any{one}
}

// decode keeps numbers as they are written: positions are longer than a float
// can hold.
func decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}

func showIDs(out io.Writer, all []map[string]any, columns []column) error {
	for _, row := range all {
		fmt.Fprintln(out, cell(row, columns[0].path))
	}
	return nil
}

func showYAML(out io.Writer, raw json.RawMessage) error {
	var document yaml.Node
	if err := yaml.Unmarshal(raw, &document); err != nil { // JSON is YAML, and keeps its order so
		return err
	}
	plainStyle(&document)
	encoder := yaml.NewEncoder(out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return err
	}
	return encoder.Close()
}

func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		plainStyle(child)
	}
}

func showTable(cmd *cobra.Command, raw json.RawMessage, columns []column) error {
	all := rows(raw)
	if len(all) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing found")
		return nil
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	fmt.Fprintln(w, strings.Join(titles, "\t"))
	for _, row := range all {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cell(row, c.path)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var list struct {
		More bool `json:"more"`
	}
	if json.Unmarshal(raw, &list) == nil && list.More {
		fmt.Fprintln(cmd.ErrOrStderr(), "there is more: --limit")
	}
	return nil
}

// cell finds a value and writes it as people do.
func cell(row map[string]any, path string) string {
	var at any = row
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return ""
		}
		at = object[name]
	}
	return plain(at)
}

func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return t.Format("2006-01-02 15:04:05")
		}
		return printable(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = plain(e)
		}
		return strings.Join(parts, ",")
	case map[string]any:
		raw, _ := json.Marshal(v) // it was JSON
		return printable(string(raw))
	}
	return fmt.Sprint(v)
}

// printable keeps what others wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return '�'
		}
		return c
	}, s)
}
