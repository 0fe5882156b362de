import type { Client } from '@urql/core';
import { ask } from '../../api/ask';
import { PatientAccessDocument } from '../../api/generated/graphql';
import type { Access } from './report';

const PAGE = 200;
/** More lines than anybody reads; who needs them asks for a shorter period. */
const MOST = 10_000;

export interface WholeReport {
  rows: Access[];
  /** False when there is more than was loaded. */
  complete: boolean;
}

/** Everything of a period, newest first: what is printed and handed out must not end in the middle. */
export async function loadReport(
  client: Client,
  patient: string,
  since: string | null,
): Promise<WholeReport> {
  const rows: Access[] = [];
  let after: string | null = null;
  do {
    const { patientAccessReport }: Awaited<ReturnType<typeof page>> = await page(
      client,
      patient,
      since,
      after,
    );
    rows.push(...patientAccessReport.nodes);
    const { hasNextPage, endCursor } = patientAccessReport.pageInfo;
    after = hasNextPage ? endCursor : null;
  } while (after !== null && rows.length < MOST);
  return { rows, complete: after === null };
}

function page(client: Client, patient: string, since: string | null, after: string | null) {
  return ask(client, PatientAccessDocument, { patient, since, first: PAGE, after });
}
