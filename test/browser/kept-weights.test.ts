/** The user's networks in the browser's database: their order, and what becomes of them where it fails. */
import { afterEach, expect, test, vi } from "vitest";
import { WeightKeeper } from "../../site/kept-weights.ts";
import { Methods } from "../../site/methods.ts";

let count = 0;
const anotherName = () => `test ${performance.timeOrigin} ${++count}`;
const network = { id: "own 1", label: "mine ×2", scale: 2, bytes: new Uint8Array([1, 2, 3]) };

const own = async (of: Methods) => (await of.list()).filter(({ isOwn }) => isOwn).map(({ label }) => label);

afterEach(() => vi.restoreAllMocks());

test("what is kept is there the next time, until it is removed", async () => {
  const name = anotherName();
  expect(await new WeightKeeper(name).keep(network)).toBe(true);
  const keeper = new WeightKeeper(name);
  expect(await keeper.all()).toEqual([network]);
  await keeper.remove(network.id);
  expect(await new WeightKeeper(name).all()).toEqual([]);
});

test("the newest network is the first, at the next visit, too, and another name changes no place", async () => {
  const database = anotherName();
  const visit = () => new Methods(new WeightKeeper(database));
  const methods = visit();
  const names = Array.from({ length: 8 }, (_, i) => `network ${i}`);
  for (const name of names) await methods.add(new Uint8Array([1]), 2, name);
  const newestFirst = names.map((name) => `${name} ×2`).reverse();
  expect(await own(methods)).toEqual(newestFirst);
  expect(await own(visit())).toEqual(newestFirst);
  const oldest = (await methods.list()).find(({ label }) => label === "network 0 ×2")!;
  await methods.rename(oldest.id, "first");
  expect((await own(methods)).at(-1)).toBe("first ×2");
  expect((await own(visit())).at(-1)).toBe("first ×2");
});

test("a database without the store, or whose connection is closed, keeps nothing and stops nothing", async () => {
  const name = anotherName();
  const request = indexedDB.open(name, 1); // makes no store
  await new Promise((resolve) => request.addEventListener("success", resolve));
  request.result.close();
  const without = new WeightKeeper(name);
  expect(await without.all()).toEqual([]);
  expect(await without.keep(network)).toBe(false);
  await without.remove(network.id);

  const closed = new WeightKeeper(anotherName());
  const transaction = vi.spyOn(IDBDatabase.prototype, "transaction");
  expect(await closed.keep(network)).toBe(true);
  (transaction.mock.contexts[0] as IDBDatabase).close();
  expect(await closed.all()).toEqual([]);
  expect(await closed.keep(network)).toBe(false);
});

test("what another tab has removed does not come back by another name", async () => {
  const database = anotherName();
  const here = new Methods(new WeightKeeper(database));
  const { id } = await here.add(new Uint8Array([1]), 2, "mine");
  const inOtherTab = new Methods(new WeightKeeper(database));
  await inOtherTab.list();
  await here.remove(id);
  const renamed = await inOtherTab.rename(id, "other");
  expect(renamed).toMatchObject({ label: "other ×2", isKept: false });
  expect(await own(inOtherTab)).toEqual(["other ×2"]); // as long as that tab is open
  expect(await own(new Methods(new WeightKeeper(database)))).toEqual([]);
});

test("two tabs that give the same name: at the next visit, the labels differ", async () => {
  const database = anotherName();
  const tabs = [1, 2].map(() => new Methods(new WeightKeeper(database)));
  for (const tab of tabs) await tab.list();
  for (const tab of tabs) expect((await tab.add(new Uint8Array([1]), 2, "mine")).label).toBe("mine ×2");
  expect((await own(new Methods(new WeightKeeper(database)))).sort()).toEqual(["mine 2 ×2", "mine ×2"]);
});

test("a database that opens late, or never: the list does not wait, and what was kept joins it", async () => {
  const database = anotherName();
  await new WeightKeeper(database).keep(network);
  const opened = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(database);
    request.addEventListener("success", () => resolve(request.result));
  });
  const waiting = Object.assign(new EventTarget(), { result: opened });
  vi.spyOn(indexedDB, "open").mockReturnValue(waiting as unknown as IDBOpenDBRequest);
  const methods = new Methods(new WeightKeeper(database, 20), 20);
  expect(await own(methods)).toEqual([]);
  expect(await methods.add(new Uint8Array([1]), 2, "mine")).toMatchObject({
    label: "mine ×2",
    isKept: false,
  });
  waiting.dispatchEvent(new Event("success"));
  expect(await methods.wereLate()).toBe(true);
  expect(await own(methods)).toEqual(["mine ×2", "mine 2 ×2"]);
  expect((await methods.list()).filter(({ isOwn }) => isOwn).map(({ isKept }) => isKept)).toEqual([
    true,
    true,
  ]);
  vi.restoreAllMocks();
  // The labels of two that were given the same name depend on their order.
  expect(await own(new Methods(new WeightKeeper(database)))).toEqual(["mine 2 ×2", "mine ×2"]);
});

test("a browser that refuses its database at once", async () => {
  vi.spyOn(indexedDB, "open").mockImplementation(() => {
    throw new DOMException("Not in this window.", "SecurityError");
  });
  const keeper = new WeightKeeper(anotherName());
  expect(await keeper.all()).toEqual([]);
  expect(await keeper.keep(network)).toBe(false);
});

test("what is undone at the end, as for lack of space, is not kept", async () => {
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value) {
    const request = put.call(this, value);
    request.addEventListener("success", () => this.transaction.abort());
    return request;
  });
  const name = anotherName();
  expect(await new WeightKeeper(name).keep(network)).toBe(false);
  expect(await new WeightKeeper(name).all()).toEqual([]);
});
