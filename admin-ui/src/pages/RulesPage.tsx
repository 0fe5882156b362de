import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { RulesDocument } from '../api/generated/graphql';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import page from '../ui/page.module.css';
import { RuleTable } from '../ui/rule/RuleTable';
import { useRefetchOnReconnect, useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

export function RulesPage() {
  useTitle('Rules');
  const { may } = useSignedIn();
  const [{ data, error, fetching }, refetch] = useQuery({ query: RulesDocument });
  useRefetchOnReconnect(refetch);
  const rules = data?.rules ?? [];
  return (
    <div className={`${page.page} ${page.fill}`}>
      <div className={page.head}>
        <h1>Rules</h1>
        <span className={page.note}>What makes an alarm</span>
        <span className={page.spacer} />
        {may('rule:write') && (
          <Button component={Link} to="/rules/new" size="sm">
            New rule
          </Button>
        )}
      </div>
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!data && fetching && <Loading label="Loading rules" />}
      {data && rules.length === 0 && (
        <Empty title="No rules yet">Without a rule no reading raises an alarm.</Empty>
      )}
      {rules.length > 0 && <RuleTable rules={rules} />}
    </div>
  );
}
