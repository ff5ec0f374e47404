package tillpage

import (
	"fmt"
	"testing"
)

func TestTheOldestSaleIsForgotten(t *testing.T) {
	left, till := 0, &Till{}
	for i := range maxSales + 3 {
		if !till.keep(&sale{ID: fmt.Sprint(i), leave: func() { left++ }}) {
			t.Fatal("it is not kept")
		}
	}
	if len(till.sales) != maxSales || till.sales[0].ID != "3" || left != 3 {
		t.Errorf("%d are kept, the oldest is %s, %d were left", len(till.sales), till.sales[0].ID, left)
	}
	till.Close()
	if left != maxSales+3 {
		t.Errorf("%d were left at the end", left)
	}
	if till.keep(&sale{}) {
		t.Error("a till that is closed keeps a sale")
	}
}
