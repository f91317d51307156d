// Segment's client for Node, with its defaults: node segment.mjs KEY HOST
import { Analytics } from "@segment/analytics-node";

const [writeKey, host] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host });
analytics.on("error", (error) => console.log(`error: ${error.code}`));
analytics.identify({ userId: "u1", traits: { email: "ann@acme.example", firstName: "Änn" } });
analytics.page({ userId: "u1", name: "Pricing", properties: { path: "/pricing" } });
analytics.track({ userId: "u1", event: "Demo Requested", properties: { plan: "pro" } });
analytics.group({ userId: "u1", groupId: "g1", traits: { name: "Acme", employees: 250 } });
analytics.alias({ userId: "u1", previousId: "n1" });
await analytics.closeAndFlush();
