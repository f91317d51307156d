// RudderStack's client for Node, with its defaults: node rudderstack.mjs KEY HOST
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [writeKey, host] = process.argv.slice(2);
const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl: host });
const report = (error) => error && console.log(`error: ${error.message}`);
analytics.identify({ userId: "u1", traits: { email: "ann@acme.example", firstName: "Änn" } }, report);
analytics.page({ userId: "u1", name: "Pricing", properties: { path: "/pricing" } }, report);
analytics.track({ userId: "u1", event: "Demo Requested", properties: { plan: "pro" } }, report);
analytics.group({ userId: "u1", groupId: "g1", traits: { name: "Acme", employees: 250 } }, report);
analytics.alias({ userId: "u1", previousId: "n1" }, report);
await analytics.flush();
