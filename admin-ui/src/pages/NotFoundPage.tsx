import { Link } from '@tanstack/react-router';
import { Empty } from '../ui/feedback/Empty';
import page from '../ui/page.module.css';

export function NotFoundPage() {
  return (
    <div className={page.page}>
      <Empty alone title="There is nothing here">
        The page does not exist, or your role does not open it.{' '}
        <Link to="/" className={page.link}>
          Go to the start
        </Link>
      </Empty>
    </div>
  );
}
