//! What every store must do, run against SQLite and against PostgreSQL.
//!
//! A case is an async function that takes a [`World`]. On SQLite each case is a test with a file of its
//! own; on PostgreSQL one test runs them all, each with a database of its own, on one throw-away server.

mod accounts;
mod api_tokens;
mod audit;
mod boundary;
mod connections;
mod departures;
mod device_authorities;
mod device_certificates;
mod durability;
mod elevations;
mod fence;
mod folds;
mod full_disk;
mod history;
mod identity_providers;
mod keys;
mod lists;
mod log;
mod mailboxes;
#[cfg(feature = "measure")]
mod measure;
#[cfg(feature = "measure")]
mod measure_access;
mod merging;
mod one_trip;
mod openings;
mod org;
mod people;
mod policies;
mod postgres;
mod postgres_server;
mod quotas;
mod second_factors;
mod service_clients;
mod world;

use futures_util::future::LocalBoxFuture;
use world::World;

type Case = fn(World) -> LocalBoxFuture<'static, ()>;

macro_rules! cases {
    ($($module:ident { $($name:ident)+ })+) => {
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$module::$name(super::World::on_sqlite().await).await;
                }
            )+)+
        }

        const CASES: &[(&str, Case)] = &[
            $($((stringify!($name), |world| Box::pin($module::$name(world)))),+),+
        ];
    };
}

cases! {
    accounts {
        tenants_are_listed_without_the_platform
        a_suspended_tenant_keeps_everything_and_may_do_nothing
        a_login_is_found_by_its_address_alone
        sessions_are_listed_prolonged_and_ended
        sessions_end_with_the_last_role
        sessions_stay_in_their_tenant
    }
    api_tokens {
        a_token_is_kept_as_it_was_made
        only_its_owner_or_an_admin_revokes_a_token
        a_use_is_noted_once_a_minute
        nobody_has_tokens_without_end
    }
    audit {
        entries_are_read_newest_first_and_filtered
        whatever_is_done_to_a_chain_is_found
        a_clever_forger_is_found
        many_writers_keep_the_chain_whole
        what_is_rolled_back_leaves_no_gap
        what_is_appended_again_is_there_once
    }
    boundary {
        equal_ids_in_two_tenants_do_not_meet
        a_row_policy_covers_only_its_rows
        a_policy_on_a_column_that_the_table_lacks_matches_nothing
    }
    connections {
        the_newest_events_of_each_device_are_kept
        who_may_not_see_a_device_does_not_see_its_events
    }
    departures {
        a_hospital_that_leaves_is_deleted_but_for_its_trail
        only_who_was_suspended_leaves_and_for_good
        every_table_is_deleted_or_kept
        an_export_holds_everything_and_no_secret
    }
    device_authorities {
        an_authority_is_kept_and_every_change_is_told
        a_hospital_has_only_so_many_authorities
    }
    device_certificates {
        a_certificate_is_proven_once_and_for_one_hospital
        a_device_has_certificates_of_its_own_and_every_change_is_told
        who_may_not_see_a_device_sees_and_changes_none_of_its_certificates
    }
    elevations {
        an_operator_is_let_in_once_and_for_a_while
        what_was_asked_is_answered_in_time_or_not_at_all
    }
    fence {
        only_the_latest_claim_may_commit
        nothing_is_committed_without_a_claim
    }
    folds {
        folding_again_changes_nothing
        the_newest_of_one_commit_is_kept
        text_that_postgres_cannot_hold_is_made_storable
        many_rows_in_one_commit
    }
    history {
        messages_by_time_across_segments
        the_newest_messages_are_kept
    }
    identity_providers {
        a_provider_is_replaced_by_its_next_version_only
        an_audience_leads_to_one_provider
        an_attempt_is_given_out_once
        somebody_who_arrives_keeps_one_account
        sessions_end_when_the_provider_says_so
    }
    keys {
        a_rotation_seals_everything_anew_while_it_stays_readable
        what_identifies_a_patient_cannot_be_read_in_the_database
        what_no_key_opens_is_told_and_hinders_nothing_else
        what_was_there_before_there_were_keys_is_sealed
    }
    lists {
        devices_page_by_page
        patients_by_ward_and_bed
        searching_is_literal_and_ignores_case
        masked_columns_are_neither_shown_nor_searched
        alarms_by_urgency
    }
    log {
        messages_come_back_as_they_were
        a_page_of_the_log_ends_with_a_segment
        a_commit_may_be_tried_again
        a_gap_or_an_overlap_is_refused
        devices_with_messages_after_a_position
        where_each_log_ends
    }
    mailboxes {
        sessions_are_kept_and_changed_and_end
        what_a_device_sent_is_received_in_its_commit
        retained_messages_are_replaced_and_removed
        the_publication_log_is_read_on_and_trimmed
        nothing_is_kept_for_who_was_fenced_off
    }
    merging {
        merging_changes_no_read
        merging_is_for_the_owner_only
    }
    openings {
        a_restricted_record_is_open_for_whoever_opened_it_and_no_longer
        an_opening_is_reviewed_once_by_somebody_else
    }
    org {
        units_are_one_tree
        a_grant_counts_within_a_moment_and_no_longer_than_it_lasts
        a_hospital_makes_its_own_roles
        each_row_shows_what_any_of_its_policies_shows
        the_last_administrator_stays
        what_is_explained_is_what_is_shown
        a_restricted_record_is_for_its_care_team
        what_a_device_said_stays_where_it_was
        whom_a_device_measured_is_known
    }
    quotas {
        quotas_are_the_default_until_somebody_says_otherwise
        no_more_devices_than_the_quota_and_all_or_none
        two_do_not_take_the_last_place_of_a_person
        what_is_stored_is_counted_by_the_day
        what_is_not_kept_any_longer_is_deleted
    }
    second_factors {
        an_authenticator_is_in_force_once_it_was_shown
        each_code_is_used_once
    }
    service_clients {
        a_client_acts_until_it_is_disabled_renewed_or_removed
        a_unit_with_a_client_stays_and_old_tokens_are_forgotten
    }
    policies {
        the_database_agrees_with_the_check_in_memory
    }
    people {
        what_is_taken_is_a_conflict
        a_rule_is_replaced_by_its_next_version_only
        many_devices_at_once_or_none
        devices_and_whom_they_measure
    }
    durability {
        reopening_finds_everything
        reads_go_on_during_writes
        a_probe_leaves_nothing_behind
    }
}
