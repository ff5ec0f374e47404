package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Export is where every event of the log is published.
type Export struct {
	NATS  NATS  `json:"nats" jsonschema_description:"A stream of NATS JetStream; off without a url."`
	Kafka Kafka `json:"kafka" jsonschema_description:"A topic of Kafka; off without brokers."`
}

// NATS is a stream of NATS JetStream.
type NATS struct {
	URL         string    `json:"url" jsonschema_description:"Servers, as in tls://nats.bank.example:4222, several separated by commas. Without one nothing is exported to NATS."`
	Stream      string    `json:"stream" jsonschema_description:"The stream. It is made if it is not there, and left as it is if it is."`
	Subject     string    `json:"subject" jsonschema_description:"What subjects begin with; the category of the event follows, as in chirograph.events.consent."`
	Credentials string    `json:"credentials_file" jsonschema_description:"File with the credentials of a NATS user."`
	TLS         BrokerTLS `json:"tls" jsonschema_description:"How the servers are recognized."`
}

// Kafka is a topic of Kafka.
type Kafka struct {
	Brokers []string  `json:"brokers" jsonschema_description:"Addresses and ports. Without one nothing is exported to Kafka."`
	Topic   string    `json:"topic" jsonschema_description:"The topic. The key of a message is the event's stream."`
	TLS     BrokerTLS `json:"tls" jsonschema_description:"How the brokers are recognized."`
}

// BrokerTLS is how a broker is recognized, and recognizes us.
type BrokerTLS struct {
	On   bool   `json:"on" jsonschema_description:"Speak TLS only. Beyond loopback it must be on."`
	CA   string `json:"ca" jsonschema_description:"PEM file of the authorities that count; the system's if empty."`
	Cert string `json:"cert" jsonschema_description:"PEM file of a client certificate, where the broker wants one."`
	Key  string `json:"key" jsonschema_description:"PEM file of its key."`
}

// What a stream, a topic or the beginning of subjects may be called.
var (
	brokerName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)
	brokerSubject = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
)

func (c Config) checkExport() error {
	n, k := c.Export.NATS, c.Export.Kafka
	if n.URL != "" {
		hosts, err := n.hosts()
		switch {
		case err != nil:
			return err
		case !brokerName.MatchString(n.Stream):
			return errors.New("export.nats.stream must be a name of letters, digits, _ and -")
		case !brokerSubject.MatchString(n.Subject) || len(n.Subject) > 200:
			return errors.New("export.nats.subject must be names separated by dots")
		}
		if err := n.TLS.check("export.nats.tls", hosts); err != nil {
			return err
		}
	}
	if len(k.Brokers) == 0 {
		return nil
	}
	switch {
	case !brokerSubject.MatchString(k.Topic) || len(k.Topic) > 200:
		return errors.New("export.kafka.topic must be names separated by dots")
	case slices.ContainsFunc(k.Brokers, func(b string) bool { return !address(b) || strings.HasPrefix(b, ":") }):
		return errors.New("export.kafka.brokers must be addresses and ports, such as kafka.bank.example:9093")
	}
	return k.TLS.check("export.kafka.tls", k.Brokers)
}

// hosts are the addresses and ports of the servers. What a URL may say of who
// asks stands in a file.
func (n NATS) hosts() (all []string, err error) {
	for server := range strings.SplitSeq(n.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(server))
		switch {
		case err != nil || u.Scheme != "nats" && u.Scheme != "tls" || !address(u.Host) || strings.HasPrefix(u.Host, ":") || u.Path != "" || u.RawQuery != "":
			return nil, errors.New("export.nats.url must be such as tls://nats.bank.example:4222")
		case u.User != nil:
			return nil, errors.New("export.nats.url must hold no password: export.nats.credentials_file names one")
		}
		all = append(all, u.Host)
	}
	return all, nil
}

func (t BrokerTLS) check(name string, hosts []string) error {
	switch {
	case !t.On && t != BrokerTLS{}:
		return fmt.Errorf("%s.on must be true, where ca, cert or key is set", name)
	case !t.On && slices.ContainsFunc(hosts, func(h string) bool { return !Loopback(h) }):
		return fmt.Errorf("%s.on must be true beyond loopback", name)
	case (t.Cert == "") != (t.Key == ""):
		return fmt.Errorf("%s needs both cert and key", name)
	}
	return nil
}
