import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { type RuleFieldsFragment, RulesDocument } from '../api/generated/graphql';
import { RuleForm } from '../forms/RuleForm';
import { PriorityMark } from '../ui/alarms/AlarmMark';
import { Empty } from '../ui/feedback/Empty';
import { ErrorNotice } from '../ui/feedback/ErrorNotice';
import { Loading } from '../ui/feedback/Loading';
import { BackIcon } from '../ui/icons';
import page from '../ui/page.module.css';
import { ruleSentence } from '../ui/rule/words';
import { useSignedIn } from '../ui/use-signed-in';
import { useTitle } from '../ui/use-title';

const NEW = 'new';

/** A rule to read, or to edit for those who may; `/rules/new` creates one. */
export function RulePage() {
  useTitle('Rule');
  const { ruleId } = useParams({ from: '/authenticated/rules/$ruleId' });
  const { may } = useSignedIn();
  const navigate = useNavigate();
  const [{ data, error, fetching }, refetch] = useQuery({ query: RulesDocument });
  const rule = data?.rules.find(({ id }) => id === ruleId) ?? null;
  const paths = [...new Set(data?.rules.map(({ path }) => path))].sort();
  const toList = () => void navigate({ to: '/rules' });

  return (
    <div className={page.page}>
      <div>
        <Link to="/rules" className={page.back}>
          <BackIcon /> Rules
        </Link>
        <div className={page.head}>
          <h1>{ruleId === NEW ? 'New rule' : (rule?.name ?? 'Rule')}</h1>
          {rule && <span className={page.note}>version {rule.version}</span>}
        </div>
      </div>
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!data && fetching && <Loading label="Loading the rule" />}
      {data && !rule && ruleId !== NEW && <Empty title="No such rule" />}
      {data && (rule || ruleId === NEW) && may('rule:write') && (
        // A newer version is another form: its fields must not keep the older one's values.
        <section className={page.panel} key={`${ruleId} ${rule?.version ?? 0}`}>
          <RuleForm rule={rule} paths={paths} onSaved={toList} onCancel={toList} />
        </section>
      )}
      {rule && !may('rule:write') && <RuleText rule={rule} />}
    </div>
  );
}

function RuleText({ rule }: { rule: RuleFieldsFragment }) {
  return (
    <section className={page.panel} aria-label="Rule">
      <p>
        <PriorityMark priority={rule.priority} />
      </p>
      <p>{ruleSentence(rule)}</p>
      {!rule.enabled && <p>It is switched off.</p>}
    </section>
  );
}
