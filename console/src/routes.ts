/** The one table of pages. What is not finished is not in it. A page's code is loaded when it is first opened. */
import type { Component } from 'svelte';
import { match } from './lib/url';
import type { IconName } from './ui/Icon.svelte';

/** What every page is given. */
export interface PageProps {
  /** The parts of the path that the pattern names. */
  readonly params: Readonly<Record<string, string>>;
}

export interface Route {
  readonly pattern: string;
  readonly title: string;
  /** For pages of the left rail: their icon and the letter after `g`. */
  readonly nav?: { readonly icon: IconName; readonly letter: string };
  /** The page of the rail that it belongs to, where it is not in the rail itself. */
  readonly under?: string;
  readonly page: () => Promise<{ default: Component<never> }>;
}

export const ROUTES: readonly Route[] = [
  {
    pattern: '/',
    title: 'Overview',
    nav: { icon: 'overview', letter: 'o' },
    page: () => import('./pages/overview/OverviewPage.svelte'),
  },
  {
    pattern: '/agents',
    title: 'Agents',
    nav: { icon: 'agents', letter: 'a' },
    page: () => import('./pages/agents/AgentsPage.svelte'),
  },
  {
    pattern: '/operations/:id',
    title: 'Operation',
    under: '/agents',
    page: () => import('./pages/operation/OperationPage.svelte'),
  },
  {
    pattern: '/plans/:id',
    title: 'Plan',
    under: '/agents',
    page: () => import('./pages/plan/PlanPage.svelte'),
  },
  {
    pattern: '/agents/:uid',
    title: 'Agent',
    under: '/agents',
    page: () => import('./pages/agent/AgentPage.svelte'),
  },
  {
    pattern: '/push',
    title: 'Push',
    nav: { icon: 'push', letter: 'p' },
    page: () => import('./pages/push/PushPage.svelte'),
  },
  {
    pattern: '/push/:id',
    title: 'Push',
    under: '/push',
    page: () => import('./pages/push/WatchPage.svelte'),
  },
  {
    pattern: '/server',
    title: 'Server',
    nav: { icon: 'server', letter: 's' },
    page: () => import('./pages/server/ServerPage.svelte'),
  },
];

/** The page of a path; null where there is none. */
export function routeOf(path: string): { route: Route; params: Record<string, string> } | null {
  for (const route of ROUTES) {
    const params = match(route.pattern, path);
    if (params) return { route, params };
  }
  return null;
}
