package platform

import (
	"context"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/limits"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/adapters/passkeys"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/domain/catalogue"
)

// forPages is what the key of the pages is derived for.
const forPages = "pages"

func (p *Platform) openServer(context.Context) error {
	authorities, err := pool(p.Config.MTLS.ClientCA)
	if err != nil {
		return err
	}
	roots, err := systemPool(p.Config.Fetch.CA)
	if err != nil {
		return err
	}
	published := &fetched{roots: roots, now: p.Now}
	clientKeys, err := newClientKeys(published)
	if err != nil {
		return err
	}
	limited, err := limits.New(rates(p.Config.Limits), p.Config.Limits.Buckets)
	if err != nil {
		return err
	}
	p.limits = limited
	p.API = api.New(p.Journal, p.outside(clientKeys, published, mtls.NewTrust(authorities), limited))
	p.hear()
	p.openDeliveries(roots)
	p.Admin = admin.New(p.API, p.Projections, admin.Outside{
		Keys: privateKeys{p}, People: people{p}, Ledger: proving{p}, Current: p.Current, Backup: p.Backup,
	})
	return nil
}

func (p *Platform) outside(clientKeys *clientKeys, published *fetched, trust *mtls.Trust, limited api.Limits) api.Outside {
	customer := logins{p.Login}
	return api.Outside{
		Profiles:     catalogue.Profiles,
		Proofs:       proofs{},
		ClientKeys:   clientKeys,
		Sectors:      published,
		Certificates: certificates{trust, p.Now},
		Signer:       p.Signer,
		Nonces:       jose.Nonces{Key: p.master.Derive(keys.ForNonces)},
		Logins:       customer,
		Sessions:     customer,
		Directory:    customer,
		HintTokens:   hintTokens{clientKeys},
		UserCodes:    customer,
		Journeys:     journeys{p.Ring},
		Customers:    customers{p},
		Passkeys:     passkeys.Ceremonies{Store: keptPasskeys{p.Login}},
		DeviceKeys:   jose.DeviceKeys{},
		Waiting:      p.waiting(),
		Pending:      pending{p},
		Limits:       limited,
		Metrics:      p.Metrics,
		PairwiseKey:  p.master.Derive(keys.ForPairwise),
		PageKey:      p.master.Derive(forPages),
		MTLSOrigin:   p.Config.MTLS.Origin,
		Software:     p.Version,
		Dev:          p.Dev,
		Now:          p.Now,
		Log:          p.Options.Log,
	}
}

func rates(l config.Limits) map[string]limits.Rate {
	rate := func(r config.Rate) limits.Rate { return limits.Rate{PerSecond: r.PerSecond, Burst: r.Burst} }
	return map[string]limits.Rate{"client": rate(l.Client), "address": rate(l.Address), "subject": rate(l.Subject), "unknown": rate(l.Unknown)}
}
