import page from '../page.module.css';
import { formatTime } from '../time';
import type { ReportLine } from './report';

/** All lines at once, so that the whole report is printed. */
export function AccessTable({ lines }: { lines: readonly ReportLine[] }) {
  return (
    <section className={`${page.panel} ${page.scrollable}`} aria-label="Accesses">
      <table className={page.plain} aria-label="Who saw this record">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.id}>
              <td>
                <time dateTime={line.at}>{formatTime(line.at)}</time>
              </td>
              <td>
                <strong>{line.who}</strong>
                {line.role && <div className={page.soft}>{line.role}</div>}
              </td>
              <td>{line.what}</td>
              <td>{line.why}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
