import { useQuery } from 'urql';
import { PeopleDocument } from '../../api/generated/graphql';

/** " of Ada Lovelace": whose page it is, when it is not the signed-in person's own. */
export function OfWhom({ user }: { user: string }) {
  const [{ data }] = useQuery({ query: PeopleDocument });
  const person = data?.users.find(({ id }) => id === user);
  return person ? ` of ${person.displayName}` : null;
}
