/** The value that permits style elements under the content security policy; the server wrote it into the page. */
export function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
}

/** Gives the nonce to style elements made from now on: GraphiQL's editor makes its own and knows of no nonce. */
export function permitStyleElements(): void {
  const create = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const element: HTMLElement = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = nonce();
    return element;
  };
}

/**
 * The editor also writes HTML text with style attributes, which the policy refuses. What they say is set through
 * the element's style object instead, as scripts of this page may.
 */
export function applyRefusedStyles(root: Element): () => void {
  const apply = (element: Element) => {
    const styled =
      element instanceof HTMLElement && element.style.length === 0 && element.getAttribute('style');
    if (styled) element.style.cssText = styled;
  };
  const observer = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (!(node instanceof Element)) continue;
        apply(node);
        for (const element of node.querySelectorAll('[style]')) apply(element);
      }
    }
  });
  observer.observe(root, { childList: true, subtree: true });
  return () => observer.disconnect();
}
