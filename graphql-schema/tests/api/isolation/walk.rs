//! The schema as something to walk: its types, their fields and arguments, and how each is reached.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, Type, TypeKind, TypeSystemDefinition},
};

pub(super) struct Argument {
    pub(super) name: String,
    /// As a variable declares it, e.g. `[ID!]`.
    pub(super) declared: String,
    pub(super) required: bool,
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    /// The name of its type, without what says list or not null.
    pub(super) ty: String,
}

impl Field {
    pub(super) fn needs_arguments(&self) -> bool {
        self.arguments.iter().any(|argument| argument.required)
    }
}

/// Fields from a root to a field, each with the type that it belongs to.
pub(super) type Path = Vec<(String, String)>;

pub(super) struct Walk {
    objects: BTreeMap<String, Vec<Field>>,
    inputs: BTreeMap<String, Vec<String>>,
}

impl Walk {
    /// Through what the server speaks.
    pub(super) fn new() -> Self {
        let (mut objects, mut inputs) = (BTreeMap::new(), BTreeMap::new());
        for definition in parse_schema(graphql_schema::sdl()).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let (name, kind) = (definition.node.name.node.to_string(), definition.node.kind);
            match kind {
                TypeKind::Object(object) => {
                    let fields = object.fields.into_iter().map(|field| {
                        let arguments = field.node.arguments.into_iter().map(|argument| Argument {
                            name: argument.node.name.node.to_string(),
                            declared: argument.node.ty.node.to_string(),
                            required: !argument.node.ty.node.nullable
                                && argument.node.default_value.is_none(),
                        });
                        Field {
                            name: field.node.name.node.to_string(),
                            arguments: arguments.collect(),
                            ty: base(&field.node.ty.node),
                        }
                    });
                    objects.insert(name, fields.collect());
                }
                TypeKind::InputObject(input) => {
                    let fields = input.fields.iter().map(|field| field.node.name.node.to_string());
                    inputs.insert(name, fields.collect());
                }
                _ => {}
            }
        }
        Self { objects, inputs }
    }

    pub(super) fn fields(&self, ty: &str) -> &[Field] {
        self.objects.get(ty).map_or(&[], Vec::as_slice)
    }

    pub(super) fn field(&self, ty: &str, name: &str) -> &Field {
        self.fields(ty).iter().find(|field| field.name == name).unwrap()
    }

    /// Everything that somebody must have an opinion on: `Type.field`, `Type.field(argument)`, `Input.field`.
    pub(super) fn coordinates(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (ty, fields) in &self.objects {
            for field in fields {
                all.push(format!("{ty}.{}", field.name));
                let arguments = field.arguments.iter();
                all.extend(arguments.map(|argument| format!("{ty}.{}({})", field.name, argument.name)));
            }
        }
        for (ty, fields) in &self.inputs {
            all.extend(fields.iter().map(|field| format!("{ty}.{field}")));
        }
        all.sort_unstable();
        all
    }

    /// The cheapest way from a root to each object type, through lists rather than by id, because a list that is too
    /// long tells more than a row that was asked for.
    pub(super) fn paths(&self, root: &str) -> BTreeMap<String, Path> {
        let mut paths = BTreeMap::from([(root.to_owned(), (0, Path::new()))]);
        loop {
            let mut shorter = Vec::new();
            for (ty, (cost, path)) in &paths {
                for field in self.fields(ty).iter().filter(|field| self.objects.contains_key(&field.ty)) {
                    let cost = cost + if field.needs_arguments() { 4 } else { 1 };
                    if paths.get(&field.ty).is_none_or(|(known, _)| cost < *known) {
                        let path = path.iter().cloned().chain([(ty.clone(), field.name.clone())]);
                        shorter.push((field.ty.clone(), (cost, path.collect::<Path>())));
                    }
                }
            }
            if shorter.is_empty() {
                return paths.into_iter().map(|(ty, (_, path))| (ty, path)).collect();
            }
            // Of several ways that were found at once the cheapest must stay.
            for (ty, found) in shorter {
                if paths.get(&ty).is_none_or(|(known, _)| found.0 < *known) {
                    paths.insert(ty, found);
                }
            }
        }
    }

    /// What can be selected of a type without going further.
    fn leaves(&self, ty: &str) -> String {
        let fields = self.fields(ty).iter();
        let leaves = fields.filter(|field| !self.objects.contains_key(&field.ty) && !field.needs_arguments());
        let names: Vec<_> = leaves.map(|field| field.name.as_str()).collect();
        format!("__typename {}", names.join(" "))
    }

    /// A document that asks for a path's last field; `given` tells which arguments have a value.
    pub(super) fn document(&self, operation: &str, path: &Path, given: &dyn Fn(&str) -> bool) -> String {
        let (mut declared, mut body) = (Vec::new(), String::new());
        for (ty, name) in path {
            let field = self.field(ty, name);
            let mut arguments = Vec::new();
            for argument in &field.arguments {
                let coordinate = format!("{ty}.{name}({})", argument.name);
                if given(&coordinate) {
                    declared.push(format!("${}: {}", variable(&coordinate), argument.declared));
                    arguments.push(format!("{}: ${}", argument.name, variable(&coordinate)));
                }
            }
            let arguments = match arguments.len() {
                0 => String::new(),
                _ => format!("({})", arguments.join(", ")),
            };
            body.push_str(&format!("{{ {name}{arguments} "));
        }
        let (ty, name) = path.last().unwrap();
        let last = &self.field(ty, name).ty;
        if self.objects.contains_key(last) {
            body.push_str(&format!("{{ {} }} ", self.leaves(last)));
        }
        body.push_str(&"} ".repeat(path.len()));
        let declared = match declared.len() {
            0 => String::new(),
            _ => format!("({})", declared.join(", ")),
        };
        format!("{operation} {declared} {body}")
    }
}

/// The variable that carries an argument.
pub(super) fn variable(coordinate: &str) -> String {
    coordinate.replace(['.', '('], "_").replace(')', "")
}

fn base(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => base(inner),
    }
}
