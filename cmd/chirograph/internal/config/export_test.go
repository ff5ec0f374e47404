package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing is exported unless somebody says where", "{}", ""},
		{"to NATS over TLS", "{nats: {url: 'tls://a.example:4222,tls://b.example:4222', tls: {on: true}}}", ""},
		{"to NATS on this machine", "{nats: {url: 'nats://127.0.0.1:4222'}}", ""},
		{"to Kafka over TLS", "{kafka: {brokers: ['k.example:9093'], tls: {on: true, cert: c, key: k}}}", ""},
		{"a url of something else", "{nats: {url: 'https://a.example:4222'}}", "export.nats.url must be such as tls://nats.bank.example:4222"},
		{"a url without a port", "{nats: {url: 'nats://a.example'}}", "export.nats.url must be such as tls://nats.bank.example:4222"},
		{"one bad url of several", "{nats: {url: 'nats://localhost:4222,'}}", "export.nats.url must be such as tls://nats.bank.example:4222"},
		{"a password in a url", "{nats: {url: 'nats://u:p@localhost:4222'}}", "export.nats.url must hold no password: export.nats.credentials_file names one"},
		{"a stream that cannot be", "{nats: {url: 'nats://localhost:4222', stream: 'a.b'}}", "export.nats.stream must be a name of letters, digits, _ and -"},
		{"a subject that takes all", "{nats: {url: 'nats://localhost:4222', subject: '>'}}", "export.nats.subject must be names separated by dots"},
		{"events in the open", "{nats: {url: 'nats://localhost:4222,nats://a.example:4222'}}", "export.nats.tls.on must be true beyond loopback"},
		{"an authority without TLS", "{nats: {url: 'nats://localhost:4222', tls: {ca: a.pem}}}", "export.nats.tls.on must be true, where ca, cert or key is set"},
		{"half a certificate", "{kafka: {brokers: ['k.example:9093'], tls: {on: true, cert: c}}}", "export.kafka.tls needs both cert and key"},
		{"a broker without a port", "{kafka: {brokers: ['k.example']}}", "export.kafka.brokers must be addresses and ports, such as kafka.bank.example:9093"},
		{"a broker that is nowhere", "{kafka: {brokers: [':9092']}}", "export.kafka.brokers must be addresses and ports, such as kafka.bank.example:9093"},
		{"a topic that cannot be", "{kafka: {brokers: ['localhost:9092'], topic: 'a b'}}", "export.kafka.topic must be names separated by dots"},
		{"events in the open, by Kafka", "{kafka: {brokers: ['k.example:9092']}}", "export.kafka.tls.on must be true beyond loopback"},
		{"a key that is none", "{nats: {uri: x}}", `line 3: unknown key "export.nats.uri", did you mean "export.nats.url"?`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := file(t, good+"export: "+tt.text+"\n")
			_, _, err := Load(Sources{File: path})
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), path+": ")
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFilesOfAnExport(t *testing.T) {
	path := file(t, good+"export: {nats: {url: 'tls://a.example:4222', credentials_file: n.creds, tls: {on: true, ca: ca.pem}}}\n")
	c, _, err := Load(Sources{File: path})
	folder := filepath.Dir(path)
	if n := c.Export.NATS; err != nil || n.Credentials != filepath.Join(folder, "n.creds") || n.TLS.CA != filepath.Join(folder, "ca.pem") {
		t.Errorf("got %+v, %v", c.Export.NATS, err)
	}
}
