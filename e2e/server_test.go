//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// A server is a running "chirograph dev".
type server struct {
	*process
	folder, scratch string
	port, mtls      int
	notify          int // where clients are pinged
}

// startBank starts the development server on free ports with its data below
// dir, and returns when it has told its story and serves.
func startBank(dir string) (*server, error) {
	s := &server{folder: filepath.Join(dir, "data"), scratch: dir}
	ports, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s.port, s.mtls, s.notify = ports[0], ports[1], ports[3]
	for _, name := range []string{"abacus", "budgetly", "ledger", "payzip", "tally", "thief"} {
		if err := selfSign(dir, name); err != nil {
			return nil, err
		}
	}
	s.process, err = start(exec.Command(program, "dev", "--data", s.folder, "--port", strconv.Itoa(s.port),
		"--mtls-port", strconv.Itoa(s.mtls), "--admin-port", strconv.Itoa(ports[2]), "--notify-port", strconv.Itoa(s.notify)), dir, os.Environ())
	if err != nil {
		return nil, err
	}
	return s, s.waitFor("Serving", time.Minute)
}

// environment tells the scripts where everything is.
func (s *server) environment() []string {
	return []string{
		fmt.Sprintf("E2E_PORT=%d", s.port), fmt.Sprintf("E2E_MTLS_PORT=%d", s.mtls), fmt.Sprintf("E2E_NOTIFY_PORT=%d", s.notify),
		"E2E_FOLDER=" + s.folder, "E2E_SCRATCH=" + s.scratch, "E2E_PROGRAM=" + program,
	}
}

// freePorts returns ports on which nobody listens now.
func freePorts(n int) ([]int, error) {
	var ports []int
	for tries := 0; len(ports) < n; tries++ { // below the ports that connections get
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+mathrand.IntN(20_000)))
		if err != nil {
			if tries > 100 {
				return nil, err
			}
			continue
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// selfSign makes a certificate that nobody but a client's own registration
// vouches for.
func selfSign(dir, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Payzip Ltd"}, Country: []string{"GB"}},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for ending, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(filepath.Join(dir, name+ending), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
