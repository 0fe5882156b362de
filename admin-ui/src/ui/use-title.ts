import { useEffect } from 'react';
import { createStore, useStore } from '../api/store';

const pageTitle = createStore('');

/** The page's name in the browser's tab and history. Never a patient's name: titles end up in histories. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title;
    pageTitle.set(title);
  }, [title]);
}

/** Puts a count before the page's name, where it is seen while another page is in front. */
export function useCountInTitle(count: number): void {
  const title = useStore(pageTitle);
  useEffect(() => {
    document.title = count > 0 ? `(${count}) ${title}` : title;
  }, [count, title]);
}
