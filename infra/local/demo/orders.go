package demo

const (
	sandbox    = "sandbox"
	onDelivery = "on_delivery"
)

func one(sku string) Line         { return Line{sku, 1} }
func some(sku string, n int) Line { return Line{sku, n} }

// usual is how most orders go: paid at once, shipped the next day, received two days later.
func usual(tracking string, more ...Step) []Step {
	return append([]Step{{Do: Pay}, {Do: Ship, Hours: 20, Text: tracking}, {Do: Deliver, Hours: 68}}, more...)
}

// Orders are four weeks of them, the oldest first. Together they show every state an order can be in and every way
// one can have come: by each KOC's links, by a code typed at checkout, by nobody.
var Orders = []Order{
	// The first two weeks: long delivered, commissions released.
	{DaysAgo: 27, Clock: "09:12", Shopper: "jing", Link: "mei/朋友圈", Payment: sandbox, Lines: []Line{one("longjing-50g")}, Then: usual("SF1490000000001"), Ends: "released"},
	{DaysAgo: 26, Clock: "20:40", Shopper: "zhihong", Link: "laozhou/茶友群", Payment: sandbox, Lines: []Line{one("yancha-rougui-20"), one("boli-gongdaobei")}, Then: usual("SF1490000000002"), Ends: "released"},
	{DaysAgo: 25, Clock: "22:05", Shopper: "xiaoyu", Link: "linxia/小红书", Payment: sandbox, Lines: []Line{some("lengpao-chabao-12", 2)}, Then: usual("SF1490000000003"), Ends: "released"},
	{DaysAgo: 25, Clock: "12:31", Shopper: "guoqing", Payment: sandbox, Lines: []Line{one("zhengshan-xiaozhong-songyan")}, Then: usual("SF1490000000004"), Ends: "released"},
	{DaysAgo: 24, Clock: "21:18", Shopper: "yutong", Link: "mei/龙井", Payment: sandbox, Lines: []Line{one("longjing-125g"), one("baici-gaiwan-white")}, Then: usual("SF1490000000005"), Ends: "released"},
	{DaysAgo: 23, Clock: "08:55", Shopper: "meilan", Link: "laozhou/海报", Payment: onDelivery, Lines: []Line{one("laobaicha-bing-50g"), one("shupu-bing-100g")},
		Then: []Step{{Do: Ship, Hours: 22, Text: "JD0090000000006"}, {Do: Deliver, Hours: 70}}, Ends: "released"},
	{DaysAgo: 22, Clock: "19:47", Shopper: "ziqi", Link: "linxia/主页", Payment: sandbox, Lines: []Line{one("lvxing-chaju"), one("guihua-oolong")}, Then: usual("SF1490000000007"), Ends: "released"},
	// Given back after the commission was released: the KOC's debt.
	{DaysAgo: 22, Clock: "13:02", Shopper: "weijie", Link: "linxia/旅行茶具", Payment: sandbox, Lines: []Line{one("lvxing-chaju")},
		Then: usual("SF1490000000008", Step{Do: Refund, Hours: 19 * 24, Text: "壶盖有裂，使用后发现"}), Ends: "released"},
	{DaysAgo: 21, Clock: "10:26", Shopper: "hongmei", Link: "mei/妈妈群", Payment: sandbox, Lines: []Line{one("moli-huacha-250g")}, Then: usual("SF1490000000009"), Ends: "released"},
	{DaysAgo: 20, Clock: "23:11", Shopper: "siyuan", Code: "laozhou", Payment: sandbox, Lines: []Line{one("cepa-hu"), one("laobaicha-bing-350g")}, Then: usual("SF1490000000010"), Ends: "released"},
	{DaysAgo: 20, Clock: "15:33", Shopper: "lei", Link: "laozhou/肉桂", Payment: sandbox, Lines: []Line{one("yancha-rougui-8")},
		Then: []Step{{Do: Pay}, {Do: Cancel, Hours: 1}}, Ends: "cancelled"},
	{DaysAgo: 19, Clock: "18:20", Shopper: "jiaxin", Link: "linxia/小红书", Payment: sandbox, Lines: []Line{one("lengpao-chabao-36"), one("pinming-bei-rust")}, Then: usual("SF1490000000012"), Ends: "released"},
	{DaysAgo: 18, Clock: "09:48", Shopper: "wanting", Payment: sandbox, Lines: []Line{one("zhuma-chaxi-indigo"), one("zhuma-chaxi-natural")}, Then: usual("SF1490000000013"), Ends: "released"},
	// One of two cups broken on the way: a part of the money back while the commission was still pending.
	{DaysAgo: 17, Clock: "20:02", Shopper: "tianyu", Link: "laozhou/茶友群", Payment: sandbox, Lines: []Line{some("pinming-bei-white", 2), one("zhu-chapan-s")},
		Then: usual("SF1490000000014", Step{Do: Refund, Hours: 90, Lines: []Line{one("pinming-bei-white")}, Text: "运输破损一只"}), Ends: "released"},
	{DaysAgo: 16, Clock: "11:15", Shopper: "jing", Link: "mei/朋友圈", Payment: sandbox, Lines: []Line{one("guihua-oolong"), one("lengpao-chabao-12")}, Then: usual("SF1490000000015"), Ends: "released"},
	{DaysAgo: 15, Clock: "22:39", Shopper: "haitao", Link: "laozhou/肉桂", Payment: sandbox, Lines: []Line{some("yancha-rougui-8", 2)}, Then: usual("SF1490000000016"), Ends: "released"},
	{DaysAgo: 15, Clock: "14:08", Shopper: "yan", Link: "linxia/主页", Payment: sandbox, Lines: []Line{one("baici-gaiwan-celadon")}, Ends: "expired"},

	// The third week: delivered, within the days of return; commissions pending.
	{DaysAgo: 13, Clock: "21:50", Shopper: "mingyue", Link: "mei/龙井", Payment: sandbox, Lines: []Line{some("longjing-50g", 2)}, Then: usual("SF1490000000018"), Ends: "released"},
	{DaysAgo: 12, Clock: "17:25", Shopper: "ruoxi", Link: "linxia/小红书", Payment: sandbox, Lines: []Line{one("lengpao-chabao-12"), one("lvxing-chaju")}, Then: usual("SF1490000000019"), Ends: "released"},
	// Everything back within the seven days.
	{DaysAgo: 9, Clock: "12:44", Shopper: "haoran", Link: "mei/朋友圈", Payment: sandbox, Lines: []Line{one("zhu-chapan-l")},
		Then: usual("SF1490000000020", Step{Do: Return, Hours: 80, Text: "尺寸比想象的大"}, Step{Do: Refund, Hours: 130, Text: "七天无理由退货，已收到退件"}), Ends: "delivered"},
	{DaysAgo: 8, Clock: "19:30", Shopper: "guoqing", Link: "laozhou/茶友群", Payment: sandbox, Lines: []Line{one("shupu-bing-357g"), one("boli-gongdaobei")},
		Then: []Step{{Do: Pay}, {Do: Ship, Hours: 18, Text: "SF1490000000021"}, {Do: Receive, Hours: 74}}, Ends: "delivered"},
	{DaysAgo: 8, Clock: "08:16", Shopper: "meilan", Link: "laozhou/海报", Payment: onDelivery, Lines: []Line{one("laobaicha-bing-350g")},
		Then: []Step{{Do: Ship, Hours: 25, Text: "JD0090000000022"}, {Do: Deliver, Hours: 66}}, Ends: "delivered"},
	{DaysAgo: 7, Clock: "23:24", Shopper: "xiaoyu", Link: "linxia/小红书", Payment: sandbox, Lines: []Line{one("guihua-oolong"), one("pinming-bei-4")}, Then: usual("SF1490000000023"), Ends: "delivered"},
	// Two links on the way: the shopper came by the first, and typed the code of whoever had told her more.
	{DaysAgo: 6, Clock: "16:52", Shopper: "jiaxin", Link: "linxia/主页", Code: "mei", Payment: sandbox, Lines: []Line{one("anji-baicha-100g")}, Then: usual("SF1490000000024"), Ends: "delivered"},
	// Paid only after the stock hold had ended: it was still there, so the order lives again.
	{DaysAgo: 6, Clock: "00:37", Shopper: "weijie", Link: "laozhou/肉桂", Payment: sandbox, Lines: []Line{one("yancha-rougui-8"), one("cepa-hu")},
		Then: []Step{{Do: PayLate, Hours: 1}, {Do: Ship, Hours: 30, Text: "SF1490000000025"}, {Do: Deliver, Hours: 80}}, Ends: "delivered"},

	// This week: on the road, waiting, held, cancelled.
	{DaysAgo: 4, Clock: "10:09", Shopper: "jianguo", Link: "mei/妈妈群", Payment: sandbox, Lines: []Line{some("moli-huacha-75g", 2)}, Then: []Step{{Do: Pay}, {Do: Ship, Hours: 21, Text: "SF1490000000026"}}, Ends: "shipped"},
	{DaysAgo: 3, Clock: "20:58", Shopper: "tianyu", Link: "laozhou/茶友群", Payment: sandbox, Lines: []Line{one("zhengshan-xiaozhong-huaguo"), one("zhengshan-xiaozhong-songyan")}, Then: []Step{{Do: Pay}, {Do: Ship, Hours: 15, Text: "SF1490000000027"}}, Ends: "shipped"},
	{DaysAgo: 3, Clock: "13:40", Shopper: "ziqi", Link: "linxia/旅行茶具", Payment: sandbox, Lines: []Line{one("lvxing-chaju")},
		Then: []Step{{Do: Pay}, {Do: Hold, Hours: 2, Text: "收件人与推荐人同址，核实中"}}, Ends: "paid"},
	{DaysAgo: 2, Clock: "21:33", Shopper: "lei", Payment: sandbox, Lines: []Line{one("shupu-bing-100g")}, Then: []Step{{Do: Decline}}, Ends: "expired"},
	{DaysAgo: 2, Clock: "09:05", Shopper: "yutong", Link: "mei/朋友圈", Payment: sandbox, Lines: []Line{one("zhuma-chaxi-indigo"), one("guihua-oolong")}, Then: []Step{{Do: Pay}}, Ends: "paid"},
	{DaysAgo: 1, Clock: "22:17", Shopper: "yan", Link: "linxia/小红书", Payment: sandbox, Lines: []Line{one("lengpao-chabao-36")}, Then: []Step{{Do: Pay}}, Ends: "paid"},
	{DaysAgo: 1, Clock: "18:44", Shopper: "hongmei", Link: "mei/龙井", Payment: onDelivery, Lines: []Line{one("longjing-50g")}, Ends: "confirmed"},
	{DaysAgo: 1, Clock: "11:20", Shopper: "siyuan", Link: "laozhou/海报", Payment: sandbox, Lines: []Line{one("laobaicha-bing-50g")}, Then: []Step{{Do: Cancel, Hours: 0}}, Ends: "cancelled"},
	{DaysAgo: 0, Clock: "00:20", Shopper: "mingyue", Link: "mei/朋友圈", Payment: sandbox, Lines: []Line{one("baici-gaiwan-white"), one("anji-baicha-50g")}, Then: []Step{{Do: Pay}}, Ends: "paid"},
	{DaysAgo: 0, Clock: "00:25", Shopper: "haitao", Link: "laozhou/茶友群", Payment: onDelivery, Lines: []Line{one("yancha-rougui-8")}, Ends: "confirmed"},
	// Placed as the shop opens: its stock is still reserved for half an hour.
	{DaysAgo: 0, Clock: "now", Shopper: "ruoxi", Link: "linxia/主页", Payment: sandbox, Lines: []Line{one("pinming-bei-4")}, Ends: "held"},
}
