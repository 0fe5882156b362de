import { Link } from '@tanstack/react-router';
import type { PolicyRowKind } from '../../api/generated/graphql';
import page from '../page.module.css';
import { useSignedIn } from '../use-signed-in';

/** Leads to the explanation of who may see a row, for those who may know. */
export function WhoMaySee({ row, id }: { row: PolicyRowKind; id: string }) {
  const { may } = useSignedIn();
  if (!may('role:read') || !may('user:read')) return null;
  return (
    <Link to="/access" search={{ row, id }} className={page.link}>
      Who may see this
    </Link>
  );
}
