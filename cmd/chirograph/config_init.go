package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"

	"github.com/spf13/cobra"
)

func newConfigInit() *cobra.Command {
	c := &cobra.Command{
		Use: "init FOLDER", Short: "Write a configuration file in which every setting is explained", Args: exactly("FOLDER"),
		Long: `Writes FOLDER/chirograph.yaml. With --localhost it also makes a certificate for
localhost, so that the server can be started and tried at once.`,
	}
	c.Flags().Bool("localhost", false, "make a certificate authority and a certificate for localhost")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		file := filepath.Join(args[0], "chirograph.yaml")
		if _, err := os.Stat(file); err == nil {
			return coded{fmt.Errorf("%s exists already", file), exitConflict}
		}
		if err := os.MkdirAll(args[0], 0o700); err != nil {
			return err
		}
		settings, set := config.Default(), []string{"data_dir", "public.listen", "public.tls.cert", "public.tls.key", "admin.listen"}
		settings.DataDir = "data"
		settings.Public.TLS = config.TLS{Cert: "server.pem", Key: "server.key"}
		if local, _ := cmd.Flags().GetBool("localhost"); local {
			settings.MTLS = config.MTLS{Listen: ":8444", Origin: "https://localhost:8444", ClientCA: "ca.pem"}
			set = append(set, "mtls.listen", "mtls.origin", "mtls.client_ca")
			if err := localhost(args[0]); err != nil {
				return err
			}
		}
		text := settings.YAML(func(path string) bool { return slices.Contains(set, path) })
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s; next: chirograph serve --config %s\n", file, file)
		return nil
	}
	return c
}

// localhost makes an authority that can vouch for loopback names only, and a
// server certificate of it.
func localhost(folder string) error {
	now := time.Now()
	authority, err := mtls.NewAuthority(now)
	if err != nil {
		return err
	}
	server, err := authority.IssueServer(now)
	if err != nil {
		return err
	}
	caCert, caKey, err := authority.Encode()
	if err != nil {
		return err
	}
	cert, key, err := mtls.Encode(server)
	if err != nil {
		return err
	}
	write := func(name string, text []byte) error { return os.WriteFile(filepath.Join(folder, name), text, 0o600) }
	return errors.Join(write("ca.pem", caCert), write("ca.key", caKey), write("server.pem", cert), write("server.key", key))
}
