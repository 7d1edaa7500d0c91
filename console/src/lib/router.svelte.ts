/** Where the reader is. The address is the state: pages read their parameters from here and write them here. */
import { withChanges, type Changes } from './url';

class Router {
  path = $state(location.pathname);
  search = $state(location.search);
  hash = $state(location.hash);
  /** The parameters of the address. */
  readonly parameters = $derived(new URLSearchParams(this.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#clicked(event));
  }

  /** Goes to an address of the console. */
  go(href: string, { replace = false } = {}): void {
    const target = new URL(href, location.href);
    if (target.href === location.href) return;
    if (replace) history.replaceState(null, '', target);
    else history.pushState(null, '', target);
    this.#read();
  }

  /** Changes parameters of this page; a step that "back" returns from, unless it replaces. */
  set(changes: Changes, { replace = false } = {}): void {
    this.go(this.path + withChanges(this.search, changes) + this.hash, { replace });
  }

  #read(): void {
    this.path = location.pathname;
    this.search = location.search;
    this.hash = location.hash;
  }

  /** Links within the console change the address instead of loading a page. */
  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = event.target instanceof Element ? event.target.closest('a') : null;
    if (anchor === null || anchor.origin !== location.origin || anchor.target !== '' || anchor.hasAttribute('download')) return;
    const url = new URL(anchor.href);
    if (/^\/(api|docs|openapi\.json|metrics)(\/|$)/.test(url.pathname)) return;
    if (url.pathname === location.pathname && url.search === location.search && url.hash !== '') return;
    event.preventDefault();
    this.go(url.href);
  }
}

export const router = new Router();
