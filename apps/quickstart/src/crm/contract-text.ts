export interface ContractTerms {
  readonly contractId: string;
  readonly title: string;
  readonly customer: string;
  readonly city: string;
  readonly endsOn: string;
  readonly months: number;
  readonly noticeDays: number;
  readonly increase: number;
}

/** The text of a contract. Section 4 is the one that a renewal review is about. */
export function contractText(terms: ContractTerms): string {
  const { contractId, title, customer, city, endsOn, months, noticeDays, increase } = terms;
  return [
    `${title.toUpperCase()} (${contractId})`,
    `between Acme Corporation ("Acme") and ${customer}, ${city} ("Customer")`,
    "",
    "1. Services. Acme provides the data platform described in Annex A to Customer and its affiliates.",
    "2. Fees. Customer pays the annual fee in advance, within thirty (30) days of the invoice.",
    "3. Support. Acme answers incidents of high severity within four hours and grants service credits as set out in Annex B.",
    "",
    "4. Term and renewal.",
    `4.1 This agreement runs until ${endsOn}. It renews automatically for periods of (${months}) months.`,
    `4.2 Either party may prevent a renewal by written notice of at least (${noticeDays}) days before the end of the term.`,
    `4.3 On each renewal the annual fee is raised by a price increase of (${increase}) percent.`,
    "",
    "5. Liability. Except for intent and gross negligence, each party's liability is limited to the fees of the preceding twelve months.",
    "6. Law. This agreement is governed by the law of the Netherlands. Place of jurisdiction is Rotterdam.",
    "",
  ].join("\n");
}
