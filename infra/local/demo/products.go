package demo

// Products are the shop's goods, in the order in which the brand shows them.
var Products = []Product{
	{
		ID: "longjing", Title: "雨前龙井", Type: "绿茶", Tags: []string{"绿茶", "春茶", "送礼"}, Options: []string{"规格"}, Rate: 800,
		Alt: "墨绿色的龙井茶罐，旁边一杯新茶和一碟扁平的干茶",
		Body: `<p>谷雨前一周，龙坞的坡地上只采一芽一叶。鲜叶当天摊青，当晚下锅，由炒茶师傅老方手工辉锅收干。</p>
<p>干茶扁平，糙米色里带一点绿；热水一冲，先是炒豆的暖香，再是兰花似的清气。汤不浓，回甘慢慢来。</p>
<ul><li>产地：杭州市西湖区龙坞</li><li>采摘：2026 年 4 月 13 日至 19 日</li><li>冲泡：85 ℃，玻璃杯，3 克配 200 毫升水</li><li>保存：密封、避光，冷藏更好</li></ul>
<p>Spring Longjing, pan-fired by hand. Nutty, then orchid.</p>`,
		Scene: "清早第一杯。不用茶具，一只玻璃杯就够：看叶子一根根立起来，再慢慢沉下去，人也就醒了。",
		Variants: []Variant{
			{SKU: "longjing-50g", Option: "50 克罐装", Price: 16800, Grams: 160, Stock: 60},
			{SKU: "longjing-125g", Option: "125 克罐装", Price: 38800, CompareAt: 42000, Grams: 300, Stock: 30},
		},
	},
	{
		ID: "anji-baicha", Title: "安吉白茶", Type: "绿茶", Tags: []string{"绿茶", "春茶", "清淡"}, Options: []string{"规格"}, Rate: 800,
		Alt: "浅色小罐、白瓷杯里的浅绿茶汤和一枝嫩芽",
		Body: `<p>名叫白茶，其实是绿茶：早春气温低，这个品种的芽叶会泛白，氨基酸因此留得多，喝起来鲜，几乎不苦。</p>
<p>我们收的是溪龙乡三户人家的第一批茶，芽叶匀整，凤羽一样的形。</p>
<ul><li>产地：湖州市安吉县溪龙乡</li><li>采摘：2026 年 3 月 28 日至 4 月 4 日</li><li>冲泡：80 ℃，盖碗或玻璃杯</li></ul>
<p>Pale spring leaves, sweet as fresh pea shoots.</p>`,
		Scene: "怕苦的人从这一罐开始。午饭后泡一杯，配几块不太甜的绿豆糕，汤色淡得像窗外的天。",
		Variants: []Variant{
			{SKU: "anji-baicha-50g", Option: "50 克罐装", Price: 12800, Grams: 150, Stock: 50},
			{SKU: "anji-baicha-100g", Option: "100 克罐装", Price: 23800, Grams: 240, Stock: 30},
		},
	},
	{
		ID: "zhengshan-xiaozhong", Title: "正山小种", Type: "红茶", Tags: []string{"红茶", "醇和", "配点心"}, Options: []string{"香型"},
		Alt: "红色茶罐、一杯红亮的茶汤、松枝和桂圆干",
		Body: `<p>桐木关海拔一千米的菜茶，做成两种：花果香不熏烟，汤甜如蜜；松烟香按老法子，用马尾松慢慢熏过，桂圆干的味道藏在里面。</p>
<p>喝惯咖啡的人，多半先爱上松烟香。</p>
<ul><li>产地：武夷山市星村镇桐木</li><li>净含量：100 克</li><li>冲泡：95 ℃，快进快出，能泡八道</li></ul>
<p>Black tea from Tongmu, unsmoked or pine-smoked.</p>`,
		Scene: "下雨的周末，屋里有一点凉。煮一小壶，加半杯热牛奶也行；松烟味飘出来，像谁在远处生了火。",
		Variants: []Variant{
			{SKU: "zhengshan-xiaozhong-huaguo", Option: "花果香 100 克", Price: 11800, Grams: 220, Stock: 60},
			{SKU: "zhengshan-xiaozhong-songyan", Option: "松烟香 100 克", Price: 12800, Grams: 220, Stock: 40},
		},
	},
	{
		ID: "yancha-rougui", Title: "武夷肉桂", Type: "乌龙茶", Tags: []string{"乌龙茶", "岩茶", "送礼"}, Options: []string{"规格"},
		Alt: "深色茶盒、两枚金色泡袋和一把小紫砂壶",
		Body: `<p>半岩地块，炭火焙了三道，每道之间让茶歇一个月。桂皮的辛香走在前面，汤里有石头缝的清凉，喝完嘴里还留着。</p>
<p>每泡 8 克独立小袋，撕开就是一壶，出门也带得走。</p>
<ul><li>产地：武夷山市天心村</li><li>焙火：中足火</li><li>冲泡：沸水，110 毫升盖碗，前三道即冲即出</li></ul>
<p>Charcoal-roasted Wuyi oolong: cinnamon, stone, a long finish.</p>`,
		Scene: "晚饭吃得油了，朋友还不想走。烧一壶滚水，撕一袋，三个人分七道，话也就聊开了。",
		Variants: []Variant{
			{SKU: "yancha-rougui-8", Option: "8 泡装", Price: 15800, Grams: 180, Stock: 40},
			{SKU: "yancha-rougui-20", Option: "20 泡礼盒", Price: 35800, CompareAt: 39500, Grams: 460, Stock: 24},
		},
	},
	{
		ID: "guihua-oolong", Title: "桂花乌龙", Type: "乌龙茶", Tags: []string{"乌龙茶", "花茶", "新手友好"},
		Alt: "金色茶罐、金黄的茶汤和一枝桂花",
		Body: `<p>满觉陇的金桂，花开第二天清早打下来，与清香乌龙一层花一层茶窨了四遍，再把花筛干净。所以看不见多少桂花，香却在汤里。</p>
<ul><li>净含量：80 克</li><li>窨制：2025 年 10 月，四窨一提</li><li>冲泡：95 ℃，冷泡也好</li></ul>
<p>Oolong scented four times with Hangzhou osmanthus.</p>`,
		Scene: "入秋了，给办公室的下午添一点香。一人一杯，隔着两张桌子的同事会探头问：什么味道？",
		Variants: []Variant{
			{SKU: "guihua-oolong", Price: 8800, Grams: 200, Stock: 80},
		},
	},
	{
		ID: "moli-huacha", Title: "九窨茉莉花茶", Type: "花茶", Tags: []string{"花茶", "老味道"}, Options: []string{"规格"},
		Alt: "灰蓝色茶罐、白瓷盖碗和新摘的茉莉",
		Body: `<p>伏天的茉莉夜里开，花农傍晚采、师傅半夜窨，一个夏天来回九遍。茶坯用烘青春茶，底子厚，才托得住花香。</p>
<p>没有一点香精的刺鼻，冷下来还是香的。</p>
<ul><li>产地：福州市仓山区</li><li>窨制：九窨一提</li><li>冲泡：90 ℃，盖碗先闻盖</li></ul>
<p>Green tea, nine nights with jasmine.</p>`,
		Scene: "爸妈那一辈的早晨：一碗豆浆，一杯花茶，窗台上的花刚浇过水。寄一罐回家，电话里会多聊十分钟。",
		Variants: []Variant{
			{SKU: "moli-huacha-75g", Option: "75 克罐装", Price: 9800, Grams: 190, Stock: 50},
			{SKU: "moli-huacha-250g", Option: "250 克家用袋", Price: 25800, Grams: 280, Stock: 30},
		},
	},
	{
		ID: "laobaicha-bing", Title: "2019 老白茶饼", Type: "白茶", Tags: []string{"白茶", "陈茶", "可煮"}, Options: []string{"规格"},
		Alt: "立着的一饼老白茶、一饼拆开的茶和一小杯杏黄的茶汤",
		Body: `<p>福鼎点头镇的寿眉，2019 年压饼，在我们自己的仓里放到现在。枣香已经出来了，药香还淡，正是好煮的年份。</p>
<p>先泡五道，再煮两壶，一块茶能喝一个下午。</p>
<ul><li>产地：福鼎市点头镇</li><li>压制：2019 年 9 月</li><li>煮法：5 克配 500 毫升水，水开后小火三分钟</li></ul>
<p>Aged white tea, made for a slow simmer. Jujube and hay.</p>`,
		Scene: "冬天的围炉。茶在壶里咕嘟，旁边烤两只橘子、一把花生，谁渴了自己倒。",
		Variants: []Variant{
			{SKU: "laobaicha-bing-50g", Option: "试饮 50 克", Price: 4600, Grams: 90, Stock: 60},
			{SKU: "laobaicha-bing-350g", Option: "整饼 350 克", Price: 26800, Grams: 420, Stock: 24},
		},
	},
	{
		ID: "shupu-bing", Title: "勐海熟普饼", Type: "黑茶", Tags: []string{"黑茶", "陈茶", "耐泡"}, Options: []string{"规格"},
		Alt: "普洱熟茶饼、撬下来的茶块、茶针和红浓的茶汤",
		Body: `<p>勐海发酵，2021 年的料，渥堆气已经散尽。汤红得发亮，厚、滑、甜，带一点糯米香。</p>
<p>附一根茶针；从边上进针，顺着叶子的方向撬，茶条才不碎。</p>
<ul><li>产地：西双版纳勐海县</li><li>净含量：整饼 357 克</li><li>冲泡：沸水，先快洗一道，能泡十二道</li></ul>
<p>Ripe pu'er from Menghai: thick, smooth, a little sweet rice.</p>`,
		Scene: "加班到十点，不想喝咖啡了。撬一小块丢进焖壶，写完最后一页，正好能喝。",
		Variants: []Variant{
			{SKU: "shupu-bing-100g", Option: "小饼 100 克", Price: 5800, Grams: 130, Stock: 60},
			{SKU: "shupu-bing-357g", Option: "整饼 357 克", Price: 16800, Grams: 430, Stock: 30},
		},
	},
	{
		ID: "lengpao-chabao", Title: "冷泡茶包", Type: "袋泡茶", Tags: []string{"袋泡茶", "夏天", "新手友好"}, Options: []string{"规格"}, Rate: 1200,
		Alt: "一杯加冰的冷泡茶、柠檬和一盒冷泡茶包",
		Body: `<p>桂花乌龙、茉莉绿茶、蜜香红茶，三种各占三分之一。玉米纤维茶袋，能看见整片的叶子。</p>
<p>一瓶矿泉水放一包，冰箱里过一夜，早上拎着就走。</p>
<ul><li>每包 4 克，配 500 毫升冷水</li><li>冷藏 4 小时以上，24 小时内喝完</li></ul>
<p>Whole leaf, cold water, one night. That is all.</p>`,
		Scene: "露营、通勤、健身房的水杯。没有热水的地方，也有一杯像样的茶。",
		Variants: []Variant{
			{SKU: "lengpao-chabao-12", Option: "12 包", Price: 5900, Grams: 120, Stock: 120},
			{SKU: "lengpao-chabao-36", Option: "36 包", Price: 15900, CompareAt: 17700, Grams: 320, Stock: 60},
		},
	},
	{
		ID: "baici-gaiwan", Title: "远山盖碗", Type: "茶器", Tags: []string{"茶器", "白瓷", "手绘"}, Options: []string{"釉色"}, Rate: 1200,
		Alt: "白瓷盖碗，碗身一抹远山和一点红日",
		Body: `<p>德化高白泥，胎薄不烫手；碗沿外撇的角度试了六次，倒茶时指尖碰不到热气。碗身一抹远山，一只一只画，所以没有两只一样。</p>
<ul><li>容量：120 毫升</li><li>工艺：1300 ℃ 还原焰，釉下手绘</li><li>可用洗碗机，请避免骤冷骤热</li></ul>
<p>A 120 ml gaiwan in thin white porcelain, hills painted by hand.</p>`,
		Scene: "什么茶都能泡，泡坏了也怪不到它。新茶友的第一只盖碗，老茶友手边的那一只。",
		Variants: []Variant{
			{SKU: "baici-gaiwan-white", Option: "月白", Price: 12800, Grams: 420, Stock: 40},
			{SKU: "baici-gaiwan-celadon", Option: "天青", Price: 13800, Grams: 420, Stock: 24},
		},
	},
	{
		ID: "cepa-hu", Title: "粗陶侧把壶", Type: "茶器", Tags: []string{"茶器", "陶", "可煮"}, Rate: 1200,
		Alt: "深灰色粗陶侧把壶，旁边一只小杯和一碟茶叶",
		Body: `<p>宜兴的夹砂陶，不上釉，用久了会养出一层温润的光。侧把向着右手，提起来手腕不用转，断水利落。</p>
<ul><li>容量：200 毫升</li><li>出水孔：九孔球滤</li><li>可放电陶炉小火煮茶；左手款请在订单里留言</li></ul>
<p>An unglazed side-handled pot. It grows warmer with use.</p>`,
		Scene: "煮老白茶、焖熟普都是它。咕嘟咕嘟的时候，把手还是凉的。",
		Variants: []Variant{
			{SKU: "cepa-hu", Price: 28800, Grams: 650, Stock: 16},
		},
	},
	{
		ID: "boli-gongdaobei", Title: "玻璃公道杯", Type: "茶器", Tags: []string{"茶器", "玻璃", "新手友好"}, Rate: 1200,
		Alt: "玻璃公道杯，里面是透亮的茶汤",
		Body: `<p>高硼硅玻璃，人工吹制，壁薄而匀。鹰嘴一样的杯口，收水不挂滴；茶汤浓淡，一眼就看得见。</p>
<ul><li>容量：250 毫升</li><li>耐温差 130 ℃</li></ul>
<p>A fairness cup: everyone at the table gets the same tea.</p>`,
		Scene: "茶先倒进它，再分到各人杯里，谁也不浓，谁也不淡。公道，就是这个意思。",
		Variants: []Variant{
			{SKU: "boli-gongdaobei", Price: 7800, Grams: 260, Stock: 60},
		},
	},
	{
		ID: "pinming-bei", Title: "手作品茗杯", Type: "茶器", Tags: []string{"茶器", "陶", "送礼"}, Options: []string{"釉色"}, Rate: 1200,
		Alt: "四只手作品茗杯：米白、霁青、松绿和铁锈红",
		Body: `<p>景德镇三宝村的小窑，每只拉坯成形，口沿留一圈露胎，喝的时候嘴唇能碰到一点沙。釉色窑里说了算，深浅会有出入。</p>
<ul><li>容量：60 毫升</li><li>四只装每色各一</li></ul>
<p>Thrown by hand in Jingdezhen, four glazes.</p>`,
		Scene: "一人一色，聚会时不会拿错杯子。散席后洗干净，倒扣在窗台上，也是一排小风景。",
		Variants: []Variant{
			{SKU: "pinming-bei-4", Option: "四色四只", Price: 16800, Grams: 480, Stock: 30},
			{SKU: "pinming-bei-white", Option: "米白单只", Price: 4800, Grams: 130, Stock: 40},
			{SKU: "pinming-bei-rust", Option: "铁锈红单只", Price: 4800, Grams: 130, Stock: 3},
		},
	},
	{
		ID: "zhu-chapan", Title: "竹茶盘", Type: "茶器", Tags: []string{"茶器", "竹"}, Options: []string{"尺寸"}, Rate: 1200,
		Alt: "竹茶盘，摆着一把壶和两只杯子",
		Body: `<p>安吉五年生毛竹，碳化后水煮脱糖，不易发霉开裂。下面一只抽屉接水，倒掉、擦干，就好了。</p>
<ul><li>小号 38 × 26 厘米，大号 52 × 32 厘米</li><li>用后请侧立晾干</li></ul>
<p>A bamboo tray with a drawer for spilled water.</p>`,
		Scene: "有了它，茶桌可以是餐桌、地毯，也可以是阳台上的一只木箱。水随便洒，心里不慌。",
		Variants: []Variant{
			{SKU: "zhu-chapan-s", Option: "小号", Price: 15800, Grams: 1500, Stock: 20},
			{SKU: "zhu-chapan-l", Option: "大号", Price: 23800, Grams: 2600, Stock: 12},
		},
	},
	{
		ID: "zhuma-chaxi", Title: "苎麻茶席", Type: "茶器", Tags: []string{"茶器", "布", "送礼"}, Options: []string{"颜色"}, Rate: 1200,
		Alt: "藏青色苎麻茶席半卷半开，上面一杯茶，后面一瓶芦苇",
		Body: `<p>四川隆昌的夏布，苎麻手绩成线，织得疏，透气。藏青用蓝草染了七遍，洗两次后颜色就定了。</p>
<ul><li>180 × 30 厘米，两端手工抽须</li><li>冷水手洗，阴干</li></ul>
<p>Hand-spun ramie, indigo or undyed.</p>`,
		Scene: "铺开它，这一块地方就是喝茶的地方。收起来只有一卷，塞进抽屉，桌子又是写作业的桌子。",
		Variants: []Variant{
			{SKU: "zhuma-chaxi-indigo", Option: "藏青", Price: 6800, Grams: 180, Stock: 40},
			{SKU: "zhuma-chaxi-natural", Option: "本色", Price: 5800, Grams: 180, Stock: 40},
		},
	},
	{
		ID: "lvxing-chaju", Title: "旅行茶具", Type: "茶器", Tags: []string{"茶器", "出行", "送礼"}, Rate: 1200,
		Alt: "草绿色帆布收纳包，前面一把小壶和两只杯子",
		Body: `<p>一壶两杯，壶盖反过来就是滤网；杯子叠在壶里，壶裹在帆布包里，摔过三次没有碎（我们自己试的）。</p>
<ul><li>壶 180 毫升，杯 50 毫升</li><li>包 18 × 16 × 12 厘米，带茶叶小袋一只</li></ul>
<p>One pot, two cups, one bag. Take the tea outside.</p>`,
		Scene: "高铁四个小时，酒店的下午，山顶的石头上。一个人喝慢一点，两个人喝久一点。",
		Variants: []Variant{
			{SKU: "lvxing-chaju", Price: 21800, CompareAt: 25800, Grams: 760, Stock: 24},
		},
	},
}
