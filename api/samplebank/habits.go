package samplebank

// cents are an amount of money, in the text of which the last two digits are
// the fraction. There are no floating-point amounts.
type cents int64

// habits are what happens on an account.
type habits struct {
	opening cents // 13 months ago
	monthly []standing
	shops   []shop
}

// A standing payment is booked on the same day of every month.
type standing struct {
	day         int // 1 to 28
	amount      cents
	party, text string
}

// A shop is where a customer spends between least and most now and then.
type shop struct {
	party, text string
	least, most cents
}

var (
	groceries = shop{"Corner Larder", "Card payment, groceries", 8_20, 64_90}
	coffee    = shop{"Blue Kettle", "Card payment, coffee", 2_80, 9_40}
	transit   = shop{"Metro Lines", "Card payment, fares", 2_40, 18_00}
	books     = shop{"Paper Lantern Books", "Card payment, books", 7_99, 42_50}
	cinema    = shop{"Harbour Cinema", "Card payment, tickets", 9_50, 31_00}
	lunch     = shop{"Green Fork", "Card payment, restaurant", 11_20, 58_60}
	hardware  = shop{"Nuts & Bolts", "Card payment, hardware", 4_10, 73_30}
	chemist   = shop{"Willow Pharmacy", "Card payment, pharmacy", 3_60, 27_80}
)

var (
	alicesCurrent = habits{
		opening: 1_850_00,
		monthly: []standing{
			{1, -600_00, "Household", "Standing order, household"},
			{3, -200_00, "Rainy day", "Standing order, savings"},
			{12, -39_90, "Kestrel Mobile", "Direct debit, phone"},
			{25, 2_950_00, "Larkspur Design", "Salary"},
		},
		shops: []shop{coffee, transit, lunch, books, cinema, groceries},
	}
	alicesSavings = habits{
		opening: 8_400_00,
		monthly: []standing{{3, 200_00, "Alice Marsh", "Standing order, savings"}, {28, 12_35, Name, "Interest"}},
	}
	household = habits{
		opening: 2_640_00,
		monthly: []standing{
			{1, 600_00, "Alice Marsh", "Standing order, household"},
			{1, 950_00, "Ben Marsh", "Standing order, household"},
			{5, -690_00, "Tern & Sons Lettings", "Standing order, rent"},
			{14, -96_40, "Brightwater Energy", "Direct debit, electricity"},
			{20, -31_00, "Fibrelane", "Direct debit, internet"},
		},
		shops: []shop{groceries, groceries, hardware, chemist},
	}
	bensCurrent = habits{
		opening: 1_120_00,
		monthly: []standing{
			{1, -950_00, "Household", "Standing order, household"},
			{8, -24_50, "Kestrel Mobile", "Direct debit, phone"},
			{10, -45_00, "Rowing Club", "Direct debit, membership"},
			{27, 2_610_00, "Mill Lane School", "Salary"},
		},
		shops: []shop{coffee, transit, hardware, lunch, books},
	}
	chidisCurrent = habits{
		opening: 2_310_00,
		monthly: []standing{
			{2, -870_00, "Quayside Homes", "Standing order, rent"},
			{9, -52_10, "Brightwater Energy", "Direct debit, electricity"},
			{11, -29_90, "Kestrel Mobile", "Direct debit, phone"},
			{26, 2_240_00, "Saffron Analytics", "Salary"},
		},
		shops: []shop{groceries, coffee, cinema, transit, chemist},
	}
)
