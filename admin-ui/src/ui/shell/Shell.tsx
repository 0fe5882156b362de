import { Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useStore } from '../../api/store';
import { NotFoundPage } from '../../pages/NotFoundPage';
import { opens } from '../../routes/sections';
import { AlarmNotices } from '../alarms/AlarmNotices';
import { ActingNotice } from '../elevation/ActingNotice';
import { OpenRecords } from '../emergency/OpenRecords';
import { PulseIcon } from '../icons';
import { useSignedIn } from '../use-signed-in';
import { useCountInTitle } from '../use-title';
import { AccountMenu } from './AccountMenu';
import { ColorSchemeSwitch } from './ColorSchemeSwitch';
import { ConnectionPill } from './ConnectionPill';
import { Navigation } from './Navigation';
import classes from './shell.module.css';

/** What frames every signed-in page: where one is, whether it is live, and who is looking. */
export function Shell() {
  const { viewer } = useSignedIn();
  const main = useFocusOnNewPage();
  const open = useRouterState({ select: ({ location }) => opens(viewer, location.pathname) });
  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip}>
        Skip to the content
      </a>
      <header className={classes.header}>
        <div className={classes.brand}>
          <PulseIcon size={22} />
          <span className={classes.place}>{viewer.tenant?.name ?? 'All hospitals'}</span>
        </div>
        <Navigation />
        <div className={classes.tools}>
          <ConnectionPill />
          <ColorSchemeSwitch />
          <AccountMenu />
        </div>
      </header>
      <ActingNotice />
      <OpenRecords />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and some pages hold nothing else to reach by keyboard */}
      <main ref={main} id="content" className={classes.main} tabIndex={0}>
        {open ? <Outlet /> : <NotFoundPage />}
      </main>
      <AlarmNotices />
      <AlarmCountInTitle />
    </div>
  );
}

function AlarmCountInTitle() {
  useCountInTitle(useStore(useSignedIn().alarms).unacknowledged);
  return null;
}

/** A new page is a new place: keyboard and screen reader go on at its beginning. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current !== undefined && before.current !== pathname)
      main.current?.focus({ preventScroll: true });
    before.current = pathname;
  }, [pathname]);
  return main;
}
