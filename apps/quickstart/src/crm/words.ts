export const COMPANIES = [
  "Harbour & Pine Logistics",
  "Brightwater Utilities",
  "Castellan Insurance",
  "Delmar Ceramics",
  "Eastfold Railways",
  "Fennimore Biotech",
  "Greyfriars Publishing",
  "Hollander Steel",
  "Ingleby Foods",
  "Juniper Street Bank",
  "Kestrel Aviation",
  "Lindqvist Furniture",
  "Moorgate Legal",
  "Northlight Studios",
  "Ostrava Machine Works",
  "Pemberton Hotels",
] as const;

export const CITIES = [
  ["Rotterdam", "NL"],
  ["Lyon", "FR"],
  ["Hamburg", "DE"],
  ["Valencia", "ES"],
  ["Gothenburg", "SE"],
  ["Graz", "AT"],
  ["Ghent", "BE"],
] as const;

export const SEGMENTS = ["enterprise", "mid-market", "public sector"] as const;

export const CONTACTS = ["a.verhoeven", "m.laurent", "s.brandt", "i.navarro", "k.lund", "t.huber", "j.peeters"] as const;

export interface Incident {
  readonly severity: "low" | "medium" | "high";
  readonly summary: string;
}

export const INCIDENTS: readonly Incident[] = [
  { severity: "low", summary: "Asked how to add a second cost centre to the monthly invoice; answered with the guide." },
  { severity: "low", summary: "Requested a copy of the latest penetration test summary; sent after the form was signed." },
  { severity: "low", summary: "Two users locked out after a password change; reset within the hour." },
  { severity: "medium", summary: "Nightly import ran four hours late after a schema change on the customer's side." },
  { severity: "medium", summary: "Dashboard figures differed from the export by one day; time zone of the workspace corrected." },
  { severity: "medium", summary: "Single sign-on failed for new joiners until the certificate was rotated." },
  { severity: "medium", summary: "Asked for a second time when the audit log can be exported per region." },
  { severity: "high", summary: "Shipment events were not delivered for six hours; service credit agreed." },
  { severity: "high", summary: "Duplicate invoices were sent to three subsidiaries; finance lead escalated to the account owner." },
];
