package platform

import (
	"context"
	"errors"
)

func (p *Platform) openEventStoreDB(context.Context) error { return errors.New("not yet") }
