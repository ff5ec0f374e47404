package mtls

import "strings"

// shortNames are the attribute types with a name: those of RFC 4514, Section
// 3, and those that certificates in open banking carry. Other types are known
// by number only.
var shortNames = map[string]string{
	"2.5.4.3":                    "CN",
	"2.5.4.7":                    "L",
	"2.5.4.8":                    "ST",
	"2.5.4.10":                   "O",
	"2.5.4.11":                   "OU",
	"2.5.4.6":                    "C",
	"2.5.4.9":                    "STREET",
	"0.9.2342.19200300.100.1.25": "DC",
	"0.9.2342.19200300.100.1.1":  "UID",

	"2.5.4.4":                  "SN",
	"2.5.4.5":                  "serialNumber",
	"2.5.4.12":                 "title",
	"2.5.4.13":                 "description",
	"2.5.4.15":                 "businessCategory",
	"2.5.4.17":                 "postalCode",
	"2.5.4.42":                 "GN",
	"2.5.4.46":                 "dnQualifier",
	"2.5.4.65":                 "pseudonym",
	"2.5.4.97":                 "organizationIdentifier", // ETSI TS 119 495
	"1.2.840.113549.1.9.1":     "emailAddress",
	"1.3.6.1.4.1.311.60.2.1.1": "jurisdictionLocality", // CA/Browser Forum EV Guidelines
	"1.3.6.1.4.1.311.60.2.1.2": "jurisdictionStateOrProvince",
	"1.3.6.1.4.1.311.60.2.1.3": "jurisdictionCountry",
}

// otherNames are spellings in use beside those above.
var otherNames = map[string]string{
	"commonname":             "2.5.4.3",
	"localityname":           "2.5.4.7",
	"stateorprovincename":    "2.5.4.8",
	"s":                      "2.5.4.8",
	"organizationname":       "2.5.4.10",
	"organizationalunitname": "2.5.4.11",
	"countryname":            "2.5.4.6",
	"streetaddress":          "2.5.4.9",
	"domaincomponent":        "0.9.2342.19200300.100.1.25",
	"userid":                 "0.9.2342.19200300.100.1.1",
	"surname":                "2.5.4.4",
	"givenname":              "2.5.4.42",
	"t":                      "2.5.4.12",
	"oi":                     "2.5.4.97",
	"e":                      "1.2.840.113549.1.9.1",
	"email":                  "1.2.840.113549.1.9.1",
	"jurisdictionl":          "1.3.6.1.4.1.311.60.2.1.1",
	"jurisdictionst":         "1.3.6.1.4.1.311.60.2.1.2",
	"jurisdictionc":          "1.3.6.1.4.1.311.60.2.1.3",
}

var typesByName = func() map[string]string {
	all := map[string]string{}
	for name, oid := range otherNames {
		all[name] = oid
	}
	for oid, name := range shortNames {
		all[strings.ToLower(name)] = oid
	}
	return all
}()

// attributeType returns the number of an attribute type given by name or by
// number, the latter perhaps after "OID.".
func attributeType(s string) (string, bool) {
	lower := strings.ToLower(s)
	if oid, ok := typesByName[lower]; ok {
		return oid, true
	}
	oid := strings.TrimPrefix(lower, "oid.")
	return oid, numericOID(oid)
}

func numericOID(s string) bool {
	arcs := strings.Split(s, ".")
	for _, arc := range arcs {
		if arc == "" || len(arc) > 1 && arc[0] == '0' || strings.Trim(arc, "0123456789") != "" {
			return false
		}
	}
	return len(arcs) >= 2
}
