package catalogue_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// texts are what the fields of a sample say; others say their own name.
var texts = map[string]string{
	"acr": "urn:chirograph:acr:password", "alg": "ES256", "aud": "https://bank.example/accounts", "by": "customer",
	"client_id": "budgetly", "client_name": "Budgetly", "consent": "c-1", "endpoint": "/token", "error": "invalid_grant",
	"clause": "RFC 6749 §5.2", "hold": "h-1", "iss": "fapi2", "jti": "t-1", "kind": "password", "name": "Alice Archer",
	"profile": "fapi2-security-profile-final", "purpose": "production", "reason": "no longer needed", "role": "auditor",
	"route": "/accounts/{id}/balances", "sub": "alice", "thumbprint": "key-1", "url": "https://bank.example/fapi2",
	"via": "registration", "type": "account_information", "scope": "openid accounts", "history_from": "2025-01-01",
	"accounts": "GB01", "locations": "https://bank.example/accounts", "template": "account-access-1", "locale": "en", "id": "cred-1",
	"authorization": "a-1", "refresh": "r-1", "permission": "ReadBalances",
	"permissions": "ReadBalances", "algorithms": "ES256",
}

var numbers = map[string]int64{"result": 200, "needed": 2, "count": 3, "epoch": 2, "size": 1000}

// sample returns a value of a type with every field set.
func sample(t reflect.Type) any {
	v := reflect.New(t).Elem()
	fill(v, "")
	return v.Interface()
}

func fill(v reflect.Value, name string) {
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		return
	case *time.Duration:
		*value = time.Hour
		return
	case *json.RawMessage:
		*value = json.RawMessage(`{"sample":true}`)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			fill(v.Field(i), field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name)
	case reflect.String:
		text, ok := texts[name]
		if !ok {
			text = name
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Int, reflect.Int64:
		v.SetInt(max(numbers[name], 1))
	default:
		panic("sample: no value for " + v.Type().String())
	}
}
