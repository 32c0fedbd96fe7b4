import type { Members } from "./base.ts";

const vector = (id: string, title: string, types: Members, tuples: readonly string[], yes: readonly string[], no: readonly string[]): Members => ({
  id,
  title,
  types,
  tuples,
  checks: [...yes.map((question) => ({ question, held: true })), ...no.map((question) => ({ question, held: false }))],
});
const refused = (id: string, title: string, types: Members): Members => ({ id, title, types, error: "config_invalid" });

const user = {};
const team = { relations: { member: ["user", "team#member"] } };
const folder = { relations: { parent: ["folder"], reader: { any: [["user"], { relation: "reader", from: "parent" }] } } };

const meaning: readonly Members[] = [
  vector(
    "relations-direct",
    "whoever a tuple names, in that relation, to that object",
    { user, contract: { relations: { owner: ["user"], reader: ["user"] } } },
    ["contract:7 owner user:ann"],
    ["contract:7 owner user:ann"],
    ["contract:7 owner user:bob", "contract:8 owner user:ann", "contract:7 reader user:ann", "contract:7 owner user:Ann"],
  ),
  vector(
    "relations-types-apart",
    "an id is of its type: one and the same id is somebody else in another",
    { user, robot: {}, contract: { relations: { owner: ["user", "robot"] } } },
    ["contract:7 owner user:a1", "contract:8 owner robot:a1"],
    ["contract:7 owner user:a1", "contract:8 owner robot:a1"],
    ["contract:7 owner robot:a1", "contract:8 owner user:a1"],
  ),
  vector(
    "relations-computed",
    "a relation that is another one of the same object, through any number of them",
    { user, contract: { relations: { owner: ["user"], editor: "owner", reader: "editor" } } },
    ["contract:7 owner user:ann"],
    ["contract:7 editor user:ann", "contract:7 reader user:ann"],
    ["contract:8 reader user:ann", "contract:7 reader user:bob"],
  ),
  vector(
    "relations-userset",
    "whoever has a relation to an object, and whoever has one to that",
    { user, team, contract: { relations: { reader: ["team#member"] } } },
    ["contract:7 reader team:legal#member", "team:legal member user:ann", "team:legal member team:interns#member", "team:interns member user:bob"],
    ["contract:7 reader user:ann", "contract:7 reader user:bob", "team:legal member user:bob"],
    ["contract:7 reader user:cy", "team:interns member user:ann", "contract:7 reader team:legal"],
  ),
  vector(
    "relations-userset-is-not-its-object",
    "a team may be named itself, which its members are not",
    { user, team, contract: { relations: { reader: ["team", "team#member"] } } },
    ["contract:7 reader team:legal", "contract:8 reader team:legal#member", "team:legal member user:ann"],
    ["contract:7 reader team:legal", "contract:8 reader user:ann"],
    ["contract:7 reader user:ann", "contract:8 reader team:legal"],
  ),
  vector(
    "relations-from",
    "a relation of the objects that a relation of this one names",
    { user, account: { relations: { owner: ["user"] } }, contract: { relations: { account: ["account"], reader: { relation: "owner", from: "account" } } } },
    ["contract:7 account account:acme", "account:acme owner user:ann", "account:other owner user:bob"],
    ["contract:7 reader user:ann", "contract:7 account account:acme"],
    ["contract:7 reader user:bob", "contract:7 reader account:acme", "contract:7 account user:ann", "contract:8 reader user:ann"],
  ),
  vector(
    "relations-from-recursive",
    "a relation that comes down through objects of its own type",
    { user, folder },
    ["folder:root reader user:ann", "folder:a parent folder:root", "folder:b parent folder:a", "folder:b reader user:bob"],
    ["folder:root reader user:ann", "folder:b reader user:ann", "folder:b reader user:bob"],
    ["folder:a reader user:bob", "folder:root reader user:bob"],
  ),
  vector(
    "relations-from-several",
    "any of several objects that are named, of several types",
    {
      user,
      account: { relations: { reader: ["user"] } },
      folder,
      contract: { relations: { parent: ["account", "folder"], reader: { relation: "reader", from: "parent" } } },
    },
    ["contract:7 parent account:acme", "contract:7 parent folder:f", "account:acme reader user:ann", "folder:f reader user:bob"],
    ["contract:7 reader user:ann", "contract:7 reader user:bob"],
    ["contract:7 reader user:cy"],
  ),
  vector(
    "relations-from-missing-type",
    "an object of a type without that relation contributes nothing",
    {
      user,
      shelf: {},
      folder,
      contract: { relations: { parent: ["shelf", "folder"], reader: { relation: "reader", from: "parent" } } },
    },
    ["contract:7 parent shelf:s", "contract:8 parent shelf:s", "contract:8 parent folder:f", "folder:f reader user:ann"],
    ["contract:8 reader user:ann"],
    ["contract:7 reader user:ann", "contract:7 reader shelf:s"],
  ),
  vector(
    "relations-from-userset",
    "through another object to whoever belongs to a team",
    {
      user,
      team,
      account: { relations: { owner: ["team#member"] } },
      contract: { relations: { account: ["account"], reader: { relation: "owner", from: "account" } } },
    },
    ["contract:7 account account:acme", "account:acme owner team:sales#member", "team:sales member team:eu#member", "team:eu member user:ann"],
    ["contract:7 reader user:ann"],
    ["contract:7 reader team:sales", "contract:7 reader user:bob"],
  ),
  vector(
    "relations-any",
    "one of several is enough",
    { user, contract: { relations: { owner: ["user"], delegate: ["user"], reader: { any: [["user"], "owner", "delegate"] } } } },
    ["contract:7 reader user:ann", "contract:7 owner user:bob", "contract:7 delegate user:cy"],
    ["contract:7 reader user:ann", "contract:7 reader user:bob", "contract:7 reader user:cy"],
    ["contract:7 owner user:ann", "contract:7 reader user:dee"],
  ),
  vector(
    "relations-all",
    "all of several are needed, to the same object",
    { user, contract: { relations: { editor: ["user"], cleared: ["user"], trained: ["user"], signer: { all: ["editor", "cleared", "trained"] } } } },
    [
      "contract:7 editor user:ann",
      "contract:7 cleared user:ann",
      "contract:7 trained user:ann",
      "contract:7 editor user:bob",
      "contract:7 cleared user:bob",
      "contract:8 trained user:bob",
    ],
    ["contract:7 signer user:ann"],
    ["contract:7 signer user:bob", "contract:8 signer user:bob", "contract:8 signer user:ann"],
  ),
  vector(
    "relations-all-by-other-ways",
    "each of them may come about in its own way",
    {
      user,
      team,
      account: { relations: { owner: ["user"] } },
      contract: { relations: { account: ["account"], cleared: ["team#member"], signer: { all: [{ relation: "owner", from: "account" }, "cleared"] } } },
    },
    [
      "contract:7 account account:acme",
      "account:acme owner user:ann",
      "account:acme owner user:bob",
      "contract:7 cleared team:t#member",
      "team:t member user:ann",
      "team:t member user:cy",
    ],
    ["contract:7 signer user:ann"],
    ["contract:7 signer user:bob", "contract:7 signer user:cy"],
  ),
  vector(
    "relations-exclusion",
    "one without another: who has neither, or both, has it not",
    { user, contract: { relations: { reader: ["user"], barred: ["user"], allowed: { base: "reader", except: "barred" } } } },
    ["contract:7 reader user:ann", "contract:7 reader user:bob", "contract:7 barred user:bob", "contract:7 barred user:cy"],
    ["contract:7 allowed user:ann"],
    ["contract:7 allowed user:bob", "contract:7 allowed user:cy", "contract:7 allowed user:dee"],
  ),
  vector(
    "relations-exclusion-of-userset",
    "a team whose one part is taken away, however deep in it",
    { user, team, contract: { relations: { reader: ["user", "team#member"], barred: ["team#member"], allowed: { base: "reader", except: "barred" } } } },
    [
      "contract:7 reader team:all#member",
      "contract:7 barred team:outside#member",
      "team:all member user:ann",
      "team:all member team:outside#member",
      "team:outside member team:guests#member",
      "team:guests member user:bob",
      "contract:7 reader user:bob",
    ],
    ["contract:7 allowed user:ann", "contract:7 reader user:bob"],
    ["contract:7 allowed user:bob"],
  ),
  vector(
    "relations-exclusion-through-an-object",
    "taken away at another object: with what that one takes away in turn",
    {
      user,
      account: { relations: { owner: ["user"], former: ["user"], partner: { base: "owner", except: "former" } } },
      contract: { relations: { account: ["account"], barred: ["user"], reader: { base: { relation: "partner", from: "account" }, except: "barred" } } },
    },
    [
      "contract:7 account account:acme",
      "account:acme owner user:ann",
      "account:acme owner user:bob",
      "account:acme former user:bob",
      "account:acme owner user:cy",
      "contract:7 barred user:cy",
    ],
    ["contract:7 reader user:ann"],
    ["contract:7 reader user:bob", "contract:7 reader user:cy"],
  ),
  vector(
    "relations-exclusion-twice",
    "what is taken away from what is taken away is there again",
    {
      user,
      contract: {
        relations: { reader: ["user"], barred: ["user"], pardoned: ["user"], allowed: { base: "reader", except: { base: "barred", except: "pardoned" } } },
      },
    },
    ["contract:7 reader user:ann", "contract:7 barred user:ann", "contract:7 pardoned user:ann", "contract:7 reader user:bob", "contract:7 barred user:bob"],
    ["contract:7 allowed user:ann"],
    ["contract:7 allowed user:bob"],
  ),
  vector(
    "relations-nested",
    "kinds within each other: the inner one is decided first",
    {
      user,
      contract: {
        relations: {
          a: ["user"],
          b: ["user"],
          c: ["user"],
          any_all: { any: ["a", { all: ["b", "c"] }] },
          all_any: { all: ["a", { any: ["b", "c"] }] },
          except_any: { base: "a", except: { any: ["b", "c"] } },
          except_all: { base: "a", except: { all: ["b", "c"] } },
          all_except: { all: ["a", { base: "b", except: "c" }] },
        },
      },
    },
    [
      "contract:7 a user:x",
      "contract:7 a user:y",
      "contract:7 b user:y",
      "contract:7 a user:z",
      "contract:7 b user:z",
      "contract:7 c user:z",
      "contract:7 b user:w",
      "contract:7 c user:w",
    ],
    [
      "contract:7 any_all user:x",
      "contract:7 any_all user:w",
      "contract:7 all_any user:y",
      "contract:7 except_any user:x",
      "contract:7 except_all user:x",
      "contract:7 except_all user:y",
      "contract:7 all_except user:y",
    ],
    [
      "contract:7 all_any user:x",
      "contract:7 all_any user:w",
      "contract:7 except_any user:y",
      "contract:7 except_all user:z",
      "contract:7 all_except user:x",
      "contract:7 all_except user:z",
    ],
  ),
  vector(
    "relations-everyone",
    "everyone of a type, heard of or not, and nobody of another",
    { user, robot: {}, contract: { relations: { reader: ["user", "user:*", "robot"], viewer: "reader" } } },
    ["contract:7 reader user:*", "contract:8 reader robot:r1"],
    ["contract:7 reader user:ann", "contract:7 viewer user:never-heard-of", "contract:8 viewer robot:r1"],
    ["contract:7 reader robot:r1", "contract:8 reader user:ann"],
  ),
  vector(
    "relations-everyone-but",
    "everyone but one, and one of everyone",
    {
      user,
      contract: {
        relations: { known: ["user:*"], barred: ["user"], active: ["user"], open: { base: "known", except: "barred" }, reader: { all: ["open", "active"] } },
      },
    },
    ["contract:7 known user:*", "contract:7 barred user:eve", "contract:7 active user:ann", "contract:7 active user:eve"],
    ["contract:7 open user:ann", "contract:7 open user:bob", "contract:7 reader user:ann"],
    ["contract:7 open user:eve", "contract:7 reader user:eve", "contract:7 reader user:bob"],
  ),
  vector(
    "relations-everyone-barred",
    "where everyone is taken away nobody is left",
    { user, contract: { relations: { reader: ["user", "user:*"], barred: ["user", "user:*"], allowed: { base: "reader", except: "barred" } } } },
    ["contract:7 reader user:ann", "contract:7 barred user:*"],
    ["contract:7 reader user:ann"],
    ["contract:7 allowed user:ann", "contract:7 allowed user:bob"],
  ),
  vector(
    "relations-cycle-of-tuples",
    "tuples that lead back to themselves end there, and hold for nobody because of that",
    { user, team, folder },
    [
      "team:a member team:b#member",
      "team:b member team:c#member",
      "team:c member team:a#member",
      "team:c member user:ann",
      "folder:f parent folder:g",
      "folder:g parent folder:f",
    ],
    ["team:a member user:ann", "team:b member user:ann", "team:c member user:ann"],
    ["team:a member user:bob", "folder:f reader user:ann"],
  ),
  vector(
    "relations-cycle-of-itself",
    "an object that is its own parent, a team that is its own member",
    { user, team, folder },
    ["team:a member team:a#member", "folder:f parent folder:f", "folder:f reader user:ann"],
    ["folder:f reader user:ann"],
    ["team:a member user:ann", "folder:f reader user:bob"],
  ),
  vector(
    "relations-cycle-and",
    "what needs itself to hold does not hold, though all else does",
    { user, contract: { relations: { allowed: ["user", "contract#reader"], reader: { all: [["user", "contract#allowed"], "allowed"] } } } },
    ["contract:7 reader user:ann", "contract:7 allowed contract:7#reader", "contract:7 reader contract:7#allowed"],
    [],
    ["contract:7 reader user:ann", "contract:7 allowed user:ann"],
  ),
  vector(
    "relations-cycle-taken-away",
    "a cycle within what is taken away takes nothing away",
    { user, team, contract: { relations: { reader: ["user"], barred: ["team#member"], allowed: { base: "reader", except: "barred" } } } },
    ["contract:7 reader user:ann", "contract:7 barred team:a#member", "team:a member team:b#member", "team:b member team:a#member"],
    ["contract:7 allowed user:ann"],
    ["contract:7 allowed user:bob"],
  ),
];

/** Tuples that were written under a model, asked about under another one. */
const changed: readonly Members[] = [
  {
    ...vector(
      "relations-model-changed",
      "a tuple that the model has no place for any more is as good as not there",
      {
        user,
        robot: {},
        team: { relations: { member: ["user"] } },
        contract: { relations: { owner: ["robot"], reader: ["user", "team#member"], viewer: ["user"] } },
      },
      [
        "contract:7 owner user:ann",
        "contract:7 reader user:*",
        "team:a member team:b#member",
        "team:b member user:ann",
        "contract:7 reader team:a#member",
        "contract:7 viewer user:ann",
      ],
      ["contract:7 viewer user:ann", "team:b member user:ann"],
      ["contract:7 owner user:ann", "contract:7 reader user:ann", "contract:7 reader user:bob"],
    ),
    written_under: {
      user,
      team,
      contract: { relations: { owner: ["user"], reader: ["user", "user:*", "team#member"], viewer: ["user"] } },
    },
  },
];

const models: readonly Members[] = [
  refused("relations-refused-type", "a type that is not there", { user, contract: { relations: { owner: ["person"] } } }),
  refused("relations-refused-userset", "a userset of a relation that is not there", { user, team, contract: { relations: { owner: ["team#owner"] } } }),
  refused("relations-refused-computed", "a relation that is not there", { user, contract: { relations: { owner: "editor" } } }),
  refused("relations-refused-from", "a relation that nothing named has", {
    user,
    shelf: {},
    contract: { relations: { shelf: ["shelf"], reader: { relation: "reader", from: "shelf" } } },
  }),
  refused("relations-refused-from-userset", "to follow whoever belongs to a team, who has no relations of their own", {
    user,
    team,
    contract: { relations: { parent: ["team#member"], reader: { relation: "member", from: "parent" } } },
  }),
  refused("relations-refused-from-everyone", "to follow everyone", {
    user,
    team,
    contract: { relations: { parent: ["team:*"], reader: { relation: "member", from: "parent" } } },
  }),
  refused("relations-refused-cycle", "relations that only lead to each other", { user, contract: { relations: { owner: "editor", editor: "owner" } } }),
  refused("relations-refused-own-userset", "a relation that only holds for whoever has it", { user, contract: { relations: { owner: ["contract#owner"] } } }),
  refused("relations-refused-taken-away", "a relation that would hold if it did not", {
    user,
    contract: { relations: { reader: { base: ["user"], except: "barred" }, barred: ["user", "contract#reader"] } },
  }),
  refused("relations-refused-two-lists", "two lists of one relation, whose tuples would be the same", {
    user,
    team,
    contract: { relations: { reader: { any: [["user"], ["team#member"]] } } },
  }),
  refused("relations-refused-condition", "a condition, of which there are none", {
    user,
    contract: { relations: { reader: [{ type: "user", condition: "working_hours" }] } },
  }),
];

const WORLD = {
  user,
  team,
  contract: { relations: { owner: ["user"], reader: { any: [["user", "team#member"], "owner"] }, signer: { all: ["owner", "reader"] } } },
};
const unwritable = (id: string, title: string, tuple: string): Members => ({ id, title, tuple, error: "option_invalid" });

const tuples: readonly Members[] = [
  unwritable("relations-tuple-type", "an object of a type that is not there", "folder:1 owner user:ann"),
  unwritable("relations-tuple-relation", "a relation that is not there", "contract:7 editor user:ann"),
  unwritable("relations-tuple-subject", "a subject of a type that the relation is not for", "contract:7 owner team:legal"),
  unwritable("relations-tuple-userset", "a userset of another relation", "contract:7 reader team:legal#owner"),
  unwritable("relations-tuple-userset-for-one", "a userset where only one is meant", "contract:7 owner team:legal#member"),
  unwritable("relations-tuple-everyone", "everyone where only some are meant", "contract:7 reader user:*"),
  unwritable("relations-tuple-computed", "a relation that only follows from others", "contract:7 signer user:ann"),
];

export const RELATIONS: Members = {
  about:
    "What relation models mean: spec/relations.md. `tuples` are written and `checks` asked as `object relation subject`; a subject is `type:id`, `type:id#relation`, or `type:*`, everyone of the type.",
  vectors: [...meaning, ...changed],
  models,
  world: WORLD,
  writes: tuples,
};
