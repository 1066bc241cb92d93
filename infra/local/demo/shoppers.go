package demo

// Shoppers are the people of the order plan. Districts carry their real division codes (GB/T 2260); the people,
// streets and numbers are invented.
var Shoppers = map[string]Shopper{
	"jing":    {Name: "陈静", Phone: "+8613800000001", Region: "浙江省", City: "杭州市", District: "西湖区", Division: "330106", Line: "文三路 1 号 2 幢 301 室", Postcode: "310012"},
	"haoran":  {Name: "李浩然", Phone: "+8613800000002", Region: "浙江省", City: "杭州市", District: "滨江区", Division: "330108", Line: "江晖路 88 号 1502 室", Postcode: "310051"},
	"yutong":  {Name: "张雨桐", Phone: "+8613800000003", Region: "上海市", City: "上海市", District: "浦东新区", Division: "310115", Line: "锦绣路 200 弄 6 号 802 室", Postcode: "200127"},
	"mingyue": {Name: "赵明月", Phone: "+8613800000004", Region: "上海市", City: "上海市", District: "徐汇区", Division: "310104", Line: "天平路 12 号", Postcode: "200030"},
	"guoqing": {Name: "刘国庆", Phone: "+8613800000005", Region: "北京市", City: "北京市", District: "朝阳区", Division: "110105", Line: "望京街 9 号院 3 号楼", Postcode: "100102"},
	"siyuan":  {Name: "孙思远", Phone: "+8613800000006", Email: "siyuan@example.com", Region: "北京市", City: "北京市", District: "海淀区", Division: "110108", Line: "知春路 60 号 11 层", Postcode: "100080"},
	"jiaxin":  {Name: "黄嘉欣", Phone: "+8613800000007", Region: "广东省", City: "广州市", District: "天河区", Division: "440106", Line: "体育东路 30 号 A 座", Postcode: "510620"},
	"weijie":  {Name: "吴伟杰", Phone: "+8613800000008", Region: "广东省", City: "深圳市", District: "南山区", Division: "440305", Line: "科苑路 15 号 2 栋", Postcode: "518057"},
	"xiaoyu":  {Name: "周晓雨", Phone: "+8613800000009", Region: "四川省", City: "成都市", District: "武侯区", Division: "510107", Line: "玉林西路 7 号", Postcode: "610041"},
	"ziqi":    {Name: "何子琪", Phone: "+8613800000010", Region: "四川省", City: "成都市", District: "锦江区", Division: "510104", Line: "东大街 55 号 4 单元", Postcode: "610016"},
	"zhihong": {Name: "林志宏", Phone: "+8613800000011", Region: "福建省", City: "厦门市", District: "思明区", Division: "350203", Line: "曾厝垵社 101 号", Postcode: "361005"},
	"meilan":  {Name: "郑美兰", Phone: "+8613800000012", Region: "福建省", City: "福州市", District: "鼓楼区", Division: "350102", Line: "五四路 18 号", Postcode: "350001"},
	"tianyu":  {Name: "徐天宇", Phone: "+8613800000013", Region: "江苏省", City: "南京市", District: "鼓楼区", Division: "320106", Line: "汉口路 22 号", Postcode: "210008"},
	"wanting": {Name: "顾婉婷", Phone: "+8613800000014", Region: "江苏省", City: "苏州市", District: "姑苏区", Division: "320508", Line: "平江路 130 号", Postcode: "215005"},
	"lei":     {Name: "马磊", Phone: "+8613800000015", Region: "湖北省", City: "武汉市", District: "武昌区", Division: "420106", Line: "中北路 77 号", Postcode: "430071"},
	"yan":     {Name: "罗燕", Phone: "+8613800000016", Region: "湖南省", City: "长沙市", District: "芙蓉区", Division: "430102", Line: "人民中路 66 号", Postcode: "410011"},
	"hongmei": {Name: "杨红梅", Phone: "+8613800000017", Region: "重庆市", City: "重庆市", District: "渝中区", Division: "500103", Line: "中山四路 5 号", Postcode: "400015"},
	"jianguo": {Name: "冯建国", Phone: "+8613800000018", Region: "陕西省", City: "西安市", District: "雁塔区", Division: "610113", Line: "小寨东路 40 号", Postcode: "710061"},
	"haitao":  {Name: "于海涛", Phone: "+8613800000019", Region: "山东省", City: "青岛市", District: "市南区", Division: "370202", Line: "香港中路 21 号", Postcode: "266071"},
	"ruoxi":   {Name: "段若溪", Phone: "+8613800000020", Region: "云南省", City: "昆明市", District: "五华区", Division: "530102", Line: "翠湖北路 9 号", Postcode: "650031"},
}
